/** The operators of a field by name: one sorted table. Those that MongoDB has and ChronoGo has not are in it too. */
import { CommandError } from "../../base/mod.ts";
import { BSONRegExp, Document, type Value } from "../../bson/mod.ts";
import { type NestedParser, parseAll, parseElemMatch, parseSize } from "./array.ts";
import { parseBits } from "./bits.ts";
import { parseComparison, parseIn, parseNotEqual } from "./comparison.ts";
import { parseExists, parseType } from "./element.ts";
import { allOf, type BitsOperator, type ComparisonOperator, type Filter, type Path } from "./filter.ts";
import { parseGeo } from "./geo.ts";
import { parseMod } from "./modulo.ts";
import { parseNear } from "./near.ts";
import { parseRegex, parseRegexValue } from "./regex.ts";

/** `{<path>: {<name>: <value>}}`, and what is around it. */
export interface Operand {
  readonly path: Path;
  readonly name: string;
  readonly value: Value;
  /** The document that the operator stands in. */
  readonly siblings: Document;
  /** Parses what is nested in the value. */
  readonly parser: NestedParser;
}

/** @throws CommandError with MongoDB's code and wording */
type OperatorParser = (operand: Operand) => Filter;

const compare = (operator: ComparisonOperator): OperatorParser => ({ path, value, parser }) =>
  parseComparison(path, operator, value, parser.context);
const bits = (operator: BitsOperator): OperatorParser => ({ path, value }) =>
  parseBits(path, operator, value);
const geo: OperatorParser = ({ path, name, value }) => parseGeo(path, name, value);
const near = (operator: string): OperatorParser => ({ path, value, siblings }) =>
  parseNear(path, operator, value, siblings);
const pattern: OperatorParser = ({ path, siblings }) =>
  parseRegex(path, siblings.get("$regex"), siblings.get("$options"));

/** Known to MongoDB, not yet here. */
const missing: OperatorParser = ({ name }) => {
  throw new CommandError("NotImplemented", `${name} is not yet supported in a filter`);
};

export const FIELD_OPERATORS: Readonly<Record<string, OperatorParser>> = {
  $_internalSchemaMinItems: missing,
  $all: ({ path, value, parser }) => parseAll(path, value, parser),
  $bitsAllClear: bits("$bitsAllClear"),
  $bitsAllSet: bits("$bitsAllSet"),
  $bitsAnyClear: bits("$bitsAnyClear"),
  $bitsAnySet: bits("$bitsAnySet"),
  $elemMatch: ({ path, value, parser }) => parseElemMatch(path, value, parser),
  $eq: compare("$eq"),
  $exists: ({ path, value }) => parseExists(path, value),
  $geoIntersects: geo,
  $geoNear: missing,
  $geoWithin: geo,
  $gt: compare("$gt"),
  $gte: compare("$gte"),
  $in: ({ path, value, parser }) => parseIn(path, "$in", value, parser.context),
  $lt: compare("$lt"),
  $lte: compare("$lte"),
  $mod: ({ path, value }) => parseMod(path, value),
  $ne: ({ path, value, parser }) => parseNotEqual(path, value, parser.context),
  $near: near("$near"),
  $nearSphere: near("$nearSphere"),
  $nin: ({ path, value, parser }) => ({
    kind: "not",
    filter: parseIn(path, "$nin", value, parser.context),
  }),
  $not: (operand) => ({ kind: "not", filter: negated(operand) }),
  $options: pattern,
  $regex: pattern,
  $size: ({ path, value }) => parseSize(path, value),
  $type: ({ path, value }) => parseType(path, value),
  $within: geo,
};

function negated({ path, value, parser }: Operand): Filter {
  if (value instanceof BSONRegExp) return parseRegexValue(path, value);
  if (!(value instanceof Document)) {
    throw new CommandError("BadValue", "$not needs a regex or a document");
  }
  if (value.isEmpty()) throw new CommandError("BadValue", "$not cannot be empty");
  return allOf(parser.operators(path, value));
}
