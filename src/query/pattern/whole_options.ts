/** What stands at the very start of a pattern and holds for all of it: `(*UCP)`. */
import { PatternError, type PatternReader } from "./reader.ts";

export interface WholeOptions {
  /** `(*UCP)`: `\w \d \s \b` and POSIX classes are Unicode's. */
  readonly unicode: boolean;
  /** `(*BSR_ANYCRLF)`: `\R` is a carriage return, a line feed or both. */
  readonly fewNewlines: boolean;
}

const WHOLE_OPTION =
  /\(\*(UTF8?|UCP|BSR_ANYCRLF|BSR_UNICODE|LF|NO_AUTO_POSSESS|NO_START_OPT|LIMIT_MATCH=\d+|LIMIT_RECURSION=\d+)\)/y;
const OTHER_NEWLINES = /\(\*(?:CR|CRLF|ANYCRLF|ANY)\)/y;

/** Reads the options at the start. */
export function readWholeOptions(reader: PatternReader): WholeOptions {
  const found = new Set<string>();
  for (let match = reader.take(WHOLE_OPTION); match !== null; match = reader.take(WHOLE_OPTION)) {
    found.add(match[1]!);
  }
  const other = reader.find(OTHER_NEWLINES);
  if (other !== null) throw new PatternError(`${other[0]} is not supported`);
  return { unicode: found.has("UCP"), fewNewlines: found.has("BSR_ANYCRLF") };
}
