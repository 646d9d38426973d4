/** Sets of characters that PCRE has names for, written as ranges for a JavaScript class. */

/** Escapes that stand for a set of characters: inside and outside of a class. */
export const SETS: Readonly<Record<string, string>> = {
  s: "\\t\\n\\v\\f\\r ",
  h: "\\t \\xa0\\u1680\\u180e\\u2000-\\u200a\\u202f\\u205f\\u3000",
  v: "\\n\\v\\f\\r\\x85\\u2028\\u2029",
  w: "A-Za-z0-9_",
  d: "0-9",
};

/** What stands between `[:` and `:]`. */
export const POSIX: Readonly<Record<string, string>> = {
  alnum: "A-Za-z0-9",
  alpha: "A-Za-z",
  ascii: "\\x00-\\x7f",
  blank: "\\t ",
  cntrl: "\\x00-\\x1f\\x7f",
  digit: "0-9",
  graph: "\\x21-\\x7e",
  lower: "a-z",
  print: "\\x20-\\x7e",
  punct: "\\x21-\\x2f\\x3a-\\x40\\x5b-\\x60\\x7b-\\x7e",
  space: "\\t\\n\\v\\f\\r ",
  upper: "A-Z",
  word: "A-Za-z0-9_",
  xdigit: "0-9A-Fa-f",
};

/** The ranges of all characters that a set of ranges leaves out; the set is written as for a class. */
export function complementOf(set: string): string {
  const spans = [...set.matchAll(CLASS_SPAN)].map((match) => {
    const from = codeOf(match[1]!);
    return [from, match[2] === undefined ? from : codeOf(match[2])] as const;
  }).sort((a, b) => a[0] - b[0]);
  let next = 0;
  let ranges = "";
  for (const [from, to] of spans) {
    if (from > next) ranges += `\\u{${next.toString(16)}}-\\u{${(from - 1).toString(16)}}`;
    next = Math.max(next, to + 1);
  }
  return `${ranges}\\u{${next.toString(16)}}-\\u{10ffff}`;
}

const CLASS_SPAN = /(\\x..|\\u....|\\.|[^\\])(?:-(\\x..|\\u....|\\.|[^\\]))?/gs;

function codeOf(text: string): number {
  const escapes: Readonly<Record<string, number>> = { "\\t": 9, "\\n": 10, "\\v": 11, "\\f": 12, "\\r": 13 };
  if (!text.startsWith("\\")) return text.codePointAt(0)!;
  return escapes[text] ?? parseInt(text.slice(2), 16);
}
