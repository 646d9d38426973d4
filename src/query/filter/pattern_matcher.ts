/**
 * Whether texts match a pattern, in a form that cannot stop the server: V8 goes over to an engine in linear time when an
 * expression backtracks too much (`^(a+)+$`), but only without the `u` flag, names of groups and look-ahead. Where only yes or
 * no is asked for, most patterns have such a form.
 */
import { translatePattern } from "./pcre.ts";

/** A group with a name; those that only look back begin otherwise. */
const NAMED_GROUP = /(?<!\\)\(\?<[A-Za-z]\w*>/g;
const BACK_REFERENCE = "\\k<";
/** What `$` is translated to: the end, or a line feed before it. */
const END = "(?=\\n?$)";
const END_TAKEN = "\\n?$";
const ANY_CHARACTER = "[\\s\\S]";
const ANY_IN_LINE = "[^\\n]";
const PAIR = "[\\uD800-\\uDBFF][\\uDC00-\\uDFFF]";
/** What may stand for a character beyond 16 bits, or means another set of characters where there are such. */
const NEEDS_CODE_POINTS = /[^\0-\x7f]|\[\^|\\[pPuDSW]|\[\(/;

/** @throws CommandError 51108 for an unknown option, 51091 for a pattern that is wrong or has no counterpart */
export function patternMatcher(pattern: string, options: string): (text: string) => boolean {
  const expression = translatePattern(pattern, options);
  const tester = linearForm(expression) ?? expression;
  return (text) => tester.test(text);
}

/** An expression that says yes and no to the same texts, for which V8 has its linear engine; undefined where there is none. */
function linearForm({ source, flags }: RegExp): RegExp | undefined {
  if (flags !== "u" || source.includes(BACK_REFERENCE)) return undefined;
  const rest = source.replaceAll(ANY_CHARACTER, "").replaceAll(ANY_IN_LINE, "");
  if (NEEDS_CODE_POINTS.test(rest)) return undefined;
  const unnamed = source.replaceAll(NAMED_GROUP, "(?:");
  const ended = unnamed.endsWith(END) ? unnamed.slice(0, -END.length) + END_TAKEN : unnamed;
  return new RegExp(
    ended.replaceAll(ANY_CHARACTER, `(?:[^\\uD800-\\uDFFF]|${PAIR})`)
      .replaceAll(ANY_IN_LINE, `(?:[^\\n\\uD800-\\uDFFF]|${PAIR})`),
  );
}
