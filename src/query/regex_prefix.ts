/** How the texts begin that a pattern can match, as far as an index needs to know. */
import type { RegExpSpec } from "./filter/filter.ts";

export interface RegexPrefix {
  /** Never empty. */
  readonly text: string;
  /** Whether each text that begins so matches. */
  readonly isExact: boolean;
}

/** `^` and characters that mean themselves; a dot that is bound to match everything behind them may follow. */
const ANCHORED = /^(?:\^|\\A)((?:[^\\^$.|?*+()[\]{}]|\\[^a-zA-Z0-9])*)(.*)$/su;
const REPEATED_NEVER = /^[?*{]/;
const ANY_REST = /^\.\*$/;

/** Undefined where a match may begin with anything. */
export function regexPrefix({ pattern, options }: RegExpSpec): RegexPrefix | undefined {
  if ((options !== "" && options !== "s") || pattern.includes("|")) return undefined;
  const [, written = "", rest = ""] = ANCHORED.exec(pattern) ?? [];
  // The last character may be none at all.
  const characters = [...written.replaceAll(/\\(.)/gsu, "$1")];
  if (REPEATED_NEVER.test(rest)) characters.pop();
  const text = characters.join("");
  return text === "" ? undefined : { text, isExact: rest === "" || ANY_REST.test(rest) };
}
