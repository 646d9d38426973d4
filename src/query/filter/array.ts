/** `$size`, `$all`, `$elemMatch`: questions about an array as a whole. */
import { CommandError } from "../../base/mod.ts";
import { BSONRegExp, Document, isArray, type Value } from "../../bson/mod.ts";
import { elementText } from "../element_text.ts";
import type { ParseContext } from "../expression/expression.ts";
import { readInteger, readNonNegativeInteger } from "./argument.ts";
import { isReference, parseComparison } from "./comparison.ts";
import { allOf, type Filter, type Path } from "./filter.ts";
import { parseRegexValue } from "./regex.ts";

/** What these operators need of the parser that they are part of. */
export interface NestedParser {
  readonly context: ParseContext;
  /** Whether a name stands for an operator where a field's name does. */
  isTopLevelOperator(name: string): boolean;
  /** A filter over a document. */
  filter(document: Document): Filter;
  /** The operators of a field: `{$gt: 1, $lt: 5}`. */
  operators(path: Path, document: Document): readonly Filter[];
}

export function parseSize(path: Path, value: Value): Filter {
  const size = readSize(value);
  if (typeof size === "string") throw new CommandError("BadValue", `Failed to parse $size. ${size}`);
  return { kind: "size", path, size: Number(size) };
}

function readSize(value: Value): bigint | string {
  const size = readInteger("$size", value);
  return typeof size === "bigint" && BigInt.asIntN(32, size) !== size
    ? `Cannot represent ${elementText("$size", value)} in an int`
    : readNonNegativeInteger("$size", value);
}

export function parseAll(path: Path, value: Value, parser: NestedParser): Filter {
  if (!isArray(value)) throw new CommandError("BadValue", "$all needs an array");
  if (value.length === 0) return { kind: "constant", value: false };
  if (isElemMatch(value[0])) return allOf(value.map((item) => parseAllElemMatch(path, item, parser)));
  return allOf(value.map((item) => {
    if (item instanceof BSONRegExp) return parseRegexValue(path, item);
    if (item instanceof Document && item.names()[0]?.startsWith("$") && !isReference(item)) {
      throw new CommandError("BadValue", "no $ expressions in $all");
    }
    return parseComparison(path, "$eq", item, parser.context);
  }));
}

function parseAllElemMatch(path: Path, item: Value, parser: NestedParser): Filter {
  if (!(item instanceof Document) || !isElemMatch(item)) {
    throw new CommandError("BadValue", "$all/$elemMatch has to be consistent");
  }
  return parseElemMatch(path, item.values()[0], parser);
}

function isElemMatch(value: Value): boolean {
  return value instanceof Document && value.names()[0] === "$elemMatch";
}

/** Operators at its start ask about each element as a value, anything else about each as a document. */
export function parseElemMatch(path: Path, value: Value, parser: NestedParser): Filter {
  if (!(value instanceof Document)) throw new CommandError("BadValue", "$elemMatch needs an Object");
  const first = value.names()[0];
  if (first?.startsWith("$") && !parser.isTopLevelOperator(first) && !isReference(value)) {
    return { kind: "elemMatchValue", path, filters: parser.operators([], value) };
  }
  return { kind: "elemMatchObject", path, filter: parser.filter(value) };
}
