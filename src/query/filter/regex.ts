/** `$regex` with `$options`, and a regular expression given as a value. */
import { CommandError } from "../../base/mod.ts";
import { BSONRegExp, BSONSymbol, type Value } from "../../bson/mod.ts";
import type { Filter, Path, RegExpSpec } from "./filter.ts";
import type { ValueTest } from "./path.ts";
import { compilePattern, PatternLimitError } from "../pattern/pattern.ts";

/** A BSON regular expression, checked. @throws CommandError 51091, 51108 */
export function regexSpecOf(value: BSONRegExp): RegExpSpec {
  return checkSpec({ pattern: value.pattern, options: value.options });
}

function checkSpec(spec: RegExpSpec): RegExpSpec {
  compilePattern(spec.pattern, spec.options);
  return spec;
}

export function parseRegexValue(path: Path, value: BSONRegExp): Filter {
  return { kind: "regex", path, ...regexSpecOf(value) };
}

/** `$regex` beside an optional `$options`. */
export function parseRegex(path: Path, regex: Value, options: Value): Filter {
  if (regex === undefined) throw new CommandError("BadValue", "$options needs a $regex");
  if (options !== undefined && typeof options !== "string") {
    throw new CommandError("BadValue", "$options has to be a string");
  }
  const { pattern, ownOptions } = patternOf(regex);
  if (ownOptions !== "" && options !== undefined) {
    throw new CommandError(51075, "options set in both $regex and $options");
  }
  return { kind: "regex", path, ...checkSpec({ pattern, options: options ?? ownOptions }) };
}

function patternOf(regex: Value): { pattern: string; ownOptions: string } {
  if (regex instanceof BSONRegExp) return { pattern: regex.pattern, ownOptions: regex.options };
  if (typeof regex !== "string") throw new CommandError("BadValue", "$regex has to be a string");
  return { pattern: regex, ownOptions: "" };
}

/**
 * Whether a text matches. One that takes too many steps does not, as in MongoDB.
 *
 * @throws CommandError 51108 for an unknown option, 51091 for a pattern that is wrong
 */
export function textTest(pattern: string, options: string): (text: string) => boolean {
  const compiled = compilePattern(pattern, options);
  return (text) => {
    try {
      return compiled.test(text);
    } catch (error) {
      if (error instanceof PatternLimitError) return false;
      throw error;
    }
  };
}

/** Whether a text or symbol matches; other values never do. */
export function regexTest({ pattern, options }: RegExpSpec): ValueTest {
  const matches = textTest(pattern, options);
  return (value) => {
    if (typeof value === "string") return matches(value);
    return value instanceof BSONSymbol && matches(value.value);
  };
}

/** A stored regular expression is found by the same one. */
export function isSamePattern(value: Value, spec: RegExpSpec): boolean {
  return value instanceof BSONRegExp && value.pattern === spec.pattern && value.options === spec.options;
}
