/** Names of groups. */
import { PatternError, type PatternReader } from "./reader.ts";

const NAME = /[A-Za-z_]\w*/y;

/** A name and the sign that ends it. `opening` is what stands before. */
export function readName(reader: PatternReader, closing: string, opening: string): string {
  if (/\d/.test(reader.next)) throw new PatternError("group name must start with a non-digit");
  const name = reader.take(NAME)?.[0];
  if (name === undefined) {
    throw new PatternError(
      opening === "(?<" ? "unrecognized character after (?<" : "subpattern name expected",
    );
  }
  if (name.length > 32) throw new PatternError("subpattern name is too long (maximum 32 characters)");
  if (!reader.skip(closing)) {
    throw new PatternError("syntax error in subpattern name (missing terminator)");
  }
  return name;
}
