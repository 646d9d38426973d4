/*
 * A preloaded library that notes what a process changes below one folder until it syncs it, so that the state after a
 * power cut can be made (power_cut.ts reads the notes). The changes themselves go to the real files at once: the process
 * reads what it wrote, and a kill loses nothing of the notes, since they lie in the page cache like the files.
 *
 * Compile: cc -shared -fPIC -O2 -o power_cut.so power_cut.c -ldl -lpthread
 *
 *   POWER_CUT_DATA     the folder, absolute, links resolved
 *   POWER_CUT_NOTES    a folder on the same file system: `journal`, and `<inode>`, a hard link to every file that was
 *                      made or removed, so that its bytes stay and its number is not used again
 *   POWER_CUT_DECEIVE  patterns (fnmatch) separated by ":" of paths below the folder whose syncs do nothing; the path of
 *                      a folder ends with "/"
 *
 * The journal, little-endian; a record's number is its place, from 0:
 *
 *   u32 length of what follows │ u32 kind │ u64 inode │ u64 a │ u64 b │ bytes
 *
 *   kind          inode         a         b             bytes
 *   1 write       file          offset    size before   u32 length of old bytes │ old bytes │ new bytes
 *   2 truncate    file          new size  size before   what is cut off
 *   3 create      file          -         -             path
 *   4 rename      file          replaced  -             from │ 0 │ to       (replaced: inode, or 0)
 *   5 unlink      file          -         -             path
 *   6 mkdir       -             -         -             path
 *   7 rmdir       -             -         -             path
 *   8 sync        file          before    -             -                   (it covers records before that number)
 *   9 sync names  -             before    -             path of the folder
 *
 * A change is noted before it is made: a kill between the two leaves a note of a change that never was, which is a change
 * that may be lost. A sync is noted after it was made. Writes through mmap are not seen: only SQLite's shared memory
 * makes them, which it does not need after a crash.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE = 1, TRUNCATE, CREATE, RENAME, UNLINK, MKDIR, RMDIR, SYNC, SYNC_NAMES };

static const char *data, *notes, *deceive;
static size_t data_length;
static int journal = -1;
static uint64_t records;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

/* Real calls are system calls: the library needs nothing of what it replaces. */
static long real_pwrite(int fd, const void *bytes, size_t length, off_t at) {
  return syscall(SYS_pwrite64, fd, bytes, length, at);
}

static void fail(const char *what) {
  dprintf(2, "power_cut: %s: %s\n", what, strerror(errno));
  abort();
}

__attribute__((constructor)) static void start(void) {
  data = getenv("POWER_CUT_DATA");
  notes = getenv("POWER_CUT_NOTES");
  deceive = getenv("POWER_CUT_DECEIVE");
  if (data == NULL || notes == NULL) return;
  data_length = strlen(data);
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/journal", notes);
  journal = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (journal < 0) fail("cannot make the journal");
}

/* The path of `name` below the folder ("" for itself), or NULL when it is elsewhere. */
static const char *below(const char *path) {
  if (journal < 0 || strncmp(path, data, data_length) != 0) return NULL;
  if (path[data_length] == 0) return path + data_length;
  return path[data_length] == '/' ? path + data_length + 1 : NULL;
}

static const char *path_of(int fd, char *buffer) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, buffer, PATH_MAX - 1);
  if (length < 0) return NULL;
  buffer[length] = 0;
  return below(buffer);
}

static const char *path_at(int directory, const char *name, char *buffer) {
  /* The server names its files by absolute paths, or within an open folder. */
  if (name[0] == '/') return below(name);
  if (directory == AT_FDCWD) return NULL;
  char folder[PATH_MAX];
  if (path_of(directory, folder) == NULL) return NULL;
  if (snprintf(buffer, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX) fail("a path is too long");
  return below(buffer);
}

/* The regular file below the folder that `fd` is; false for all else. */
static int watched(int fd, struct stat *status) {
  char buffer[PATH_MAX];
  if (journal < 0 || fd == journal || fd < 3) return 0;
  return fstat(fd, status) == 0 && S_ISREG(status->st_mode) && path_of(fd, buffer) != NULL;
}

static void note(uint32_t kind, uint64_t inode, uint64_t a, uint64_t b, const struct iovec *parts, int count) {
  struct { uint32_t length, kind; uint64_t inode, a, b; } __attribute__((packed)) head = { 28, kind, inode, a, b };
  struct iovec all[6] = { { &head, sizeof head } };
  size_t total = sizeof head;
  for (int i = 0; i < count; i++) {
    all[i + 1] = parts[i];
    head.length += parts[i].iov_len;
    total += parts[i].iov_len;
  }
  if (syscall(SYS_writev, journal, all, count + 1) != (long)total) fail("cannot write the journal");
  records++;
}

static void note_path(uint32_t kind, uint64_t inode, uint64_t a, const char *path) {
  struct iovec part = { (void *)path, strlen(path) };
  note(kind, inode, a, 0, &part, 1);
}

/* Keeps the file's bytes and number for as long as the notes are there. */
static void keep(const char *path, uint64_t inode) {
  char kept[PATH_MAX];
  snprintf(kept, sizeof kept, "%s/%llu", notes, (unsigned long long)inode);
  if (link(path, kept) != 0 && errno != EEXIST) fail("cannot keep a file");
}

static void note_write(int fd, const struct stat *status, const void *bytes, size_t length, off_t at) {
  off_t end = at + (off_t)length < status->st_size ? at + (off_t)length : status->st_size;
  uint32_t old_length = end > at ? end - at : 0;
  char *old = malloc(old_length + 1), buffer[64];
  int reader = fd;
  /* A file that was opened for writing only is read through another descriptor. */
  if ((fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY) {
    snprintf(buffer, sizeof buffer, "/proc/self/fd/%d", fd);
    reader = syscall(SYS_openat, AT_FDCWD, buffer, O_RDONLY | O_CLOEXEC, 0);
  }
  if (pread(reader, old, old_length, at) != (ssize_t)old_length) fail("cannot read what is overwritten");
  if (reader != fd) syscall(SYS_close, reader);
  struct iovec parts[] = { { &old_length, 4 }, { old, old_length }, { (void *)bytes, length } };
  note(WRITE, status->st_ino, at, status->st_size, parts, 3);
  free(old);
}

static void note_truncate(int fd, const struct stat *status, off_t size) {
  size_t lost = status->st_size > size ? status->st_size - size : 0;
  char *old = malloc(lost + 1);
  if (pread(fd, old, lost, size) != (ssize_t)lost) fail("cannot read what is cut off");
  struct iovec part = { old, lost };
  note(TRUNCATE, status->st_ino, size, status->st_size, &part, 1);
  free(old);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at) {
  struct stat status;
  if (journal < 0) return real_pwrite(fd, bytes, length, at);
  pthread_mutex_lock(&mutex);
  if (watched(fd, &status)) note_write(fd, &status, bytes, length, at);
  ssize_t written = real_pwrite(fd, bytes, length, at);
  pthread_mutex_unlock(&mutex);
  return written;
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at) { return pwrite64(fd, bytes, length, at); }

ssize_t write(int fd, const void *bytes, size_t length) {
  struct stat status;
  if (journal < 0 || !watched(fd, &status)) return syscall(SYS_write, fd, bytes, length);
  pthread_mutex_lock(&mutex);
  fstat(fd, &status);
  int appends = fcntl(fd, F_GETFL) & O_APPEND;
  note_write(fd, &status, bytes, length, appends ? status.st_size : lseek(fd, 0, SEEK_CUR));
  ssize_t written = syscall(SYS_write, fd, bytes, length);
  pthread_mutex_unlock(&mutex);
  return written;
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
  struct stat status;
  if (journal < 0 || !watched(fd, &status)) return syscall(SYS_writev, fd, parts, count);
  /* POSIX lets it write less than all. */
  return count == 0 ? 0 : write(fd, parts[0].iov_base, parts[0].iov_len);
}

int ftruncate64(int fd, off64_t size) {
  struct stat status;
  if (journal < 0) return syscall(SYS_ftruncate, fd, size);
  pthread_mutex_lock(&mutex);
  if (watched(fd, &status)) note_truncate(fd, &status, size);
  int result = syscall(SYS_ftruncate, fd, size);
  pthread_mutex_unlock(&mutex);
  return result;
}

int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }

static int open_noted(int directory, const char *name, int flags, mode_t mode) {
  char buffer[PATH_MAX];
  const char *path = journal < 0 ? NULL : path_at(directory, name, buffer);
  if (path == NULL || !(flags & (O_CREAT | O_TRUNC))) return syscall(SYS_openat, directory, name, flags, mode);
  pthread_mutex_lock(&mutex);
  struct stat status;
  int existed = fstatat(directory, name, &status, 0) == 0;
  int fd = syscall(SYS_openat, directory, name, flags & ~O_TRUNC, mode);
  int error = errno;
  if (fd >= 0 && fstat(fd, &status) == 0) {
    if (!existed) {
      note_path(CREATE, status.st_ino, 0, path);
      snprintf(buffer, sizeof buffer, "%s/%s", data, path);
      keep(buffer, status.st_ino);
    } else if (flags & O_TRUNC) {
      note_truncate(fd, &status, 0);
      syscall(SYS_ftruncate, fd, 0);
    }
  }
  pthread_mutex_unlock(&mutex);
  errno = error;
  return fd;
}

static mode_t mode_of(int flags, va_list arguments) {
  return flags & (O_CREAT | __O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
}

#define OPEN(name)                                             \
  int name(const char *path, int flags, ...) {                 \
    va_list arguments;                                         \
    va_start(arguments, flags);                                \
    mode_t mode = mode_of(flags, arguments);                   \
    va_end(arguments);                                         \
    return open_noted(AT_FDCWD, path, flags, mode);            \
  }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                           \
  int name(int directory, const char *path, int flags, ...) {  \
    va_list arguments;                                         \
    va_start(arguments, flags);                                \
    mode_t mode = mode_of(flags, arguments);                   \
    va_end(arguments);                                         \
    return open_noted(directory, path, flags, mode);           \
  }
OPENAT(openat)
OPENAT(openat64)

int rename(const char *from, const char *to) {
  const char *below_from = journal < 0 ? NULL : below(from), *below_to = journal < 0 ? NULL : below(to);
  if (below_from == NULL || below_to == NULL) return syscall(SYS_rename, from, to);
  pthread_mutex_lock(&mutex);
  struct stat status, replaced;
  int result = -1;
  if (stat(from, &status) == 0) {
    if (!S_ISREG(status.st_mode)) fail("renamed folders are not modelled");
    int replaces = stat(to, &replaced) == 0;
    keep(from, status.st_ino);
    if (replaces) keep(to, replaced.st_ino);
    struct iovec parts[] = { { (void *)below_from, strlen(below_from) + 1 }, { (void *)below_to, strlen(below_to) } };
    note(RENAME, status.st_ino, replaces ? replaced.st_ino : 0, 0, parts, 2);
    result = syscall(SYS_rename, from, to);
  }
  pthread_mutex_unlock(&mutex);
  return result;
}

static int unlink_noted(int directory, const char *name, int flags) {
  char buffer[PATH_MAX], full[PATH_MAX];
  const char *path = journal < 0 ? NULL : path_at(directory, name, buffer);
  if (path == NULL) return syscall(SYS_unlinkat, directory, name, flags);
  pthread_mutex_lock(&mutex);
  struct stat status;
  if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
    if (flags & AT_REMOVEDIR) {
      note_path(RMDIR, 0, 0, path);
    } else {
      snprintf(full, sizeof full, "%s/%s", data, path);
      keep(full, status.st_ino);
      note_path(UNLINK, status.st_ino, 0, path);
    }
  }
  int result = syscall(SYS_unlinkat, directory, name, flags);
  pthread_mutex_unlock(&mutex);
  return result;
}

int unlink(const char *path) { return unlink_noted(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlink_noted(AT_FDCWD, path, AT_REMOVEDIR); }
int unlinkat(int directory, const char *path, int flags) { return unlink_noted(directory, path, flags); }

int mkdir(const char *name, mode_t mode) {
  const char *path = journal < 0 ? NULL : below(name);
  if (path == NULL) return syscall(SYS_mkdir, name, mode);
  pthread_mutex_lock(&mutex);
  int result = syscall(SYS_mkdir, name, mode);
  int error = errno;
  if (result == 0) note_path(MKDIR, 0, 0, path);
  pthread_mutex_unlock(&mutex);
  errno = error;
  return result;
}

static int is_deceived(const char *path, int is_folder) {
  if (deceive == NULL) return 0;
  char name[PATH_MAX], patterns[PATH_MAX], *rest = patterns, *pattern;
  snprintf(name, sizeof name, "%s%s", path, is_folder ? "/" : "");
  snprintf(patterns, sizeof patterns, "%s", deceive);
  while ((pattern = strsep(&rest, ":")) != NULL) {
    if (fnmatch(pattern, name, 0) == 0) return 1;
  }
  return 0;
}

static int sync_noted(int fd, long call) {
  char buffer[PATH_MAX];
  struct stat status;
  const char *path = journal < 0 ? NULL : path_of(fd, buffer);
  if (path == NULL || fstat(fd, &status) != 0) return syscall(call, fd);
  int is_folder = S_ISDIR(status.st_mode);
  if (is_deceived(path, is_folder)) return 0;
  pthread_mutex_lock(&mutex);
  uint64_t before = records;
  pthread_mutex_unlock(&mutex);
  int result = syscall(call, fd);
  if (result != 0) return result;
  pthread_mutex_lock(&mutex);
  if (is_folder) note_path(SYNC_NAMES, 0, before, path);
  else note(SYNC, status.st_ino, before, 0, NULL, 0);
  pthread_mutex_unlock(&mutex);
  return 0;
}

int fsync(int fd) { return sync_noted(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_noted(fd, SYS_fdatasync); }
