#!/bin/sh
# ChronoGo @VERSION@, one file: this script, then the files it unpacks, one behind the other.
#
# The first start unpacks them into the user's cache, in a folder named after their content, so that versions and
# concurrent starts never mix. A file gets its name only once it is whole and its checksum is right. Each later start
# hashes the small files again; the large one is hashed again when its size, inode or times are not the noted ones.
# What is missing or damaged is unpacked anew. Needs sh and coreutils.
set -u

self=$0
header_bytes=@HEADER_BYTES@
content=@CONTENT@
# name, offset behind the script, size, SHA-256
files="@FILES@"
runtime=@RUNTIME@

fail() {
  echo "chronogo: $*" >&2
  exit 1
}

if [ -n "${XDG_CACHE_HOME:-}" ]; then
  cache=$XDG_CACHE_HOME/chronogo
elif [ -n "${HOME:-}" ]; then
  cache=$HOME/.cache/chronogo
else
  fail "no folder to unpack into: neither HOME nor XDG_CACHE_HOME is set"
fi
dir=$cache/$content

has_checksum() { # file, SHA-256
  echo "$2  $1" | sha256sum -c - >/dev/null 2>&1
}

identity_of() { # file
  stat -c '%s %i %y %z' "$1" 2>/dev/null
}

is_intact() { # name, SHA-256
  [ -f "$dir/$1" ] || return 1
  [ "$1" = "$runtime" ] || { has_checksum "$dir/$1" "$2"; return; }
  identity=$(identity_of "$dir/$1") || return 1
  [ -f "$dir/$1.seen" ] && [ "$(cat "$dir/$1.seen" 2>/dev/null)" = "$identity" ] && return 0
  has_checksum "$dir/$1" "$2" || return 1
  note_identity "$1"
}

# A cache that may only be read is fine: then the large file is hashed at every start.
note_identity() { # name
  { identity_of "$dir/$1" >"$dir/$1.seen.$$" && mv -f "$dir/$1.seen.$$" "$dir/$1.seen"; } 2>/dev/null || :
}

remove_abandoned() {
  for part in "$dir"/*.part.*; do
    [ -f "$part" ] || continue
    kill -0 "${part##*.}" 2>/dev/null || rm -f "$part"
  done
}

unpack() { # name, offset, size, SHA-256
  mkdir -p "$dir" 2>/dev/null || fail "cannot make $dir to unpack into; set XDG_CACHE_HOME to a folder that can be written"
  remove_abandoned
  part=$dir/$1.part.$$
  trap 'rm -f "$part"' EXIT
  trap 'rm -f "$part"; exit 130' INT
  trap 'rm -f "$part"; exit 143' TERM
  { : >"$part"; } 2>/dev/null || fail "cannot write to $dir; set XDG_CACHE_HOME to a folder that can be written"
  tail -c "+$((header_bytes + $2 + 1))" "$self" 2>/dev/null | head -c "$3" 2>/dev/null >"$part"
  [ "$(stat -c %s "$part")" = "$3" ] || fail "cannot unpack $1 into $dir: the disk is full, or $self is cut off"
  has_checksum "$part" "$4" || fail "$self is damaged: $1 has the wrong checksum"
  chmod 700 "$part" && mv -f "$part" "$dir/$1" || fail "cannot put $1 into $dir"
  trap - EXIT INT TERM
  [ "$1" != "$runtime" ] || note_identity "$1"
}

users_umask=$(umask)
umask 077
while read -r name offset size sha256; do
  is_intact "$name" "$sha256" || unpack "$name" "$offset" "$size" "$sha256"
done <<END
$files
END
umask "$users_umask"

DENO_DIR=$dir/deno DENO_NO_UPDATE_CHECK=1
export DENO_DIR DENO_NO_UPDATE_CHECK
export @ENVIRONMENT@
exec "$dir/$runtime" run --quiet --no-config --no-lock --no-remote --no-npm --cached-only \
  @FLAGS@ "$dir/main.js" "$@"
