/** What stands at the very start of a pattern and holds for all of it: `(*UCP)`, `(*CRLF)`. */
import type { Newline } from "./newline.ts";
import type { PatternReader } from "./reader.ts";

export interface WholeOptions {
  /** `(*UCP)`: `\w \d \s \b` and POSIX classes are Unicode's. */
  readonly unicode: boolean;
  /** `(*BSR_ANYCRLF)`: `\R` is a carriage return, a line feed or both. */
  readonly fewNewlines: boolean;
  readonly newline: Newline;
}

const WHOLE_OPTION =
  /\(\*(UTF8?|UCP|NO_AUTO_POSSESS|NO_START_OPT|LIMIT_MATCH=\d+|LIMIT_RECURSION=\d+|BSR_(?:ANYCRLF|UNICODE)|(CR|LF|CRLF|ANYCRLF|ANY))\)/y;

/** Reads the options at the start; of those that exclude each other the last one counts. */
export function readWholeOptions(reader: PatternReader): WholeOptions {
  let unicode = false;
  let fewNewlines = false;
  let newline: Newline = "LF";
  for (let match = reader.take(WHOLE_OPTION); match !== null; match = reader.take(WHOLE_OPTION)) {
    const [, option] = match;
    if (option === "UCP") unicode = true;
    else if (option === "BSR_ANYCRLF" || option === "BSR_UNICODE") fewNewlines = option === "BSR_ANYCRLF";
    else if (match[2] !== undefined) newline = match[2] as Newline;
  }
  return { unicode, fewNewlines, newline };
}
