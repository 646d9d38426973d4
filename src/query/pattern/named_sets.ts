/** Sets of characters that PCRE has names for: `\s`, `[:alpha:]`, `\p{Lu}`; with `(*UCP)` the first two are Unicode's. */
import {
  ANYTHING,
  type CharacterSet,
  charactersOf,
  complementOf,
  LAST_CODE_POINT,
  setOf,
  union,
} from "./character_set.ts";
import { everyCodePoint } from "./letter_case.ts";

const ALPHA: CharacterSet = [0x41, 0x5a, 0x61, 0x7a];
const DIGIT: CharacterSet = [0x30, 0x39];
const SPACE: CharacterSet = [0x09, 0x0d, 0x20, 0x20];
export const WORD: CharacterSet = union(ALPHA, DIGIT, charactersOf("_"));
export const LINE_FEED: CharacterSet = charactersOf("\n");
export const CARRIAGE_RETURN: CharacterSet = charactersOf("\r");
export const NOT_LINE_FEED: CharacterSet = complementOf(LINE_FEED);
const HORIZONTAL_SPACE = union(
  charactersOf("\t \xa0\u1680\u180e\u202f\u205f\u3000"),
  setOf([0x2000, 0x200a]),
);
export const VERTICAL_SPACE: CharacterSet = union(setOf([0x0a, 0x0d]), charactersOf("\x85\u2028\u2029"));

const ESCAPES: Readonly<Record<string, CharacterSet>> = {
  d: DIGIT,
  h: HORIZONTAL_SPACE,
  s: SPACE,
  v: VERTICAL_SPACE,
  w: WORD,
};

const UNICODE_ESCAPES: Readonly<Record<string, string>> = { d: "Nd", s: "Xsp", w: "Xwd" };

/** What `\d \h \s \v \w` and their capitals stand for; undefined for other letters. */
export function escapedSet(letter: string, unicode: boolean): CharacterSet | undefined {
  const small = letter.toLowerCase();
  const property = unicode ? UNICODE_ESCAPES[small] : undefined;
  const set = property === undefined ? ESCAPES[small] : propertySet(property);
  return set === undefined || letter === small ? set : complementOf(set);
}

const POSIX: Readonly<Record<string, CharacterSet>> = {
  alnum: union(ALPHA, DIGIT),
  alpha: ALPHA,
  ascii: [0, 0x7f],
  blank: charactersOf("\t "),
  cntrl: [0, 0x1f, 0x7f, 0x7f],
  digit: DIGIT,
  graph: [0x21, 0x7e],
  lower: [0x61, 0x7a],
  print: [0x20, 0x7e],
  punct: [0x21, 0x2f, 0x3a, 0x40, 0x5b, 0x60, 0x7b, 0x7e],
  space: SPACE,
  upper: [0x41, 0x5a],
  word: WORD,
  xdigit: union(DIGIT, setOf([0x41, 0x46, 0x61, 0x66])),
};

const UNICODE_POSIX: Readonly<Record<string, string>> = {
  alnum: "Xan",
  alpha: "L",
  digit: "Nd",
  lower: "Ll",
  space: "Xps",
  upper: "Lu",
  word: "Xwd",
};

/** What stands between `[:` and `:]`; without regard to case capitals and small letters are letters. */
export function posixSet(name: string, ignoreCase: boolean, unicode: boolean): CharacterSet | undefined {
  const wanted = ignoreCase && (name === "upper" || name === "lower") ? "alpha" : name;
  if (!unicode) return POSIX[wanted];
  if (ignoreCase && wanted !== name) return propertySet("L&");
  if (wanted === "blank") return HORIZONTAL_SPACE;
  if (wanted === "punct") return union(propertySet("P")!, charactersOf("$+<=>^`|~"));
  if (wanted === "graph") return classRuns("[^\\p{Z}\\p{Cc}\\p{Cs}\\p{Cn}]");
  if (wanted === "print") return classRuns("[^\\p{Zl}\\p{Zp}\\p{Cc}\\p{Cs}\\p{Cn}]");
  const property = UNICODE_POSIX[wanted];
  return property === undefined ? POSIX[wanted] : propertySet(property);
}

const SPECIAL_PROPERTIES: Readonly<Record<string, string>> = {
  "L&": "[\\p{Lu}\\p{Ll}\\p{Lt}]",
  Xan: "[\\p{L}\\p{N}]",
  Xps: "[\\p{Z}\\t\\n\\v\\f\\r\\x85\\u180e]",
  Xsp: "[\\p{Z}\\t\\n\\v\\f\\r\\x85\\u180e]",
  Xuc: "[$@`\\u{a0}-\\u{d7ff}\\u{e000}-\\u{10ffff}]",
  Xwd: "[\\p{L}\\p{N}_]",
};
const GENERAL_CATEGORY = /^(?:C[cfnos]?|L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?)$/;
/** The name of a script as PCRE spells it; four letters alone are other engines' abbreviations, but for these. */
const SCRIPT = /^(?:[A-Z][a-z]+(?:_[A-Za-z]+)*|Nko)$/;

const known = new Map<string, CharacterSet>();

/** The characters of a Unicode property as PCRE names it; undefined where there is no such name. */
export function propertySet(name: string): CharacterSet | undefined {
  if (name === "Any") return ANYTHING;
  const special = SPECIAL_PROPERTIES[name];
  if (special !== undefined) return classRuns(special);
  if (name === "Cs") return [0xd800, 0xdfff];
  if (GENERAL_CATEGORY.test(name)) return classRuns(`\\p{${name}}`);
  if (!SCRIPT.test(name)) return undefined;
  try {
    return classRuns(`\\p{Script=${name}}`);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The ranges of all characters that a class of a JavaScript expression holds. */
function classRuns(source: string): CharacterSet {
  const before = known.get(source);
  if (before !== undefined) return before;
  const ranges: number[] = [];
  for (const [run] of everyCodePoint().matchAll(new RegExp(`${source}+`, "gu"))) {
    const last = run.codePointAt(run.length - (run.charCodeAt(run.length - 1) >> 10 === 0x37 ? 2 : 1))!;
    addRun(ranges, run.codePointAt(0)!, last);
  }
  const set = setOf(ranges);
  known.set(source, set);
  return set;
}

/** The text of all code points leaves out the surrogates, so a run may reach over them. */
function addRun(ranges: number[], from: number, to: number): void {
  if (from < 0xd800 && to > 0xdfff) ranges.push(from, 0xd7ff, 0xe000, to);
  else ranges.push(from, Math.min(to, LAST_CODE_POINT));
}
