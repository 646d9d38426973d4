/** A filter's tree as a document again, normalised as MongoDB's `parsedQuery` is: every equality as `$eq`. */
import {
  aliasOfType,
  BSONRegExp,
  type BsonType,
  BuiltDocument,
  compareValues,
  type Document,
  Int32,
  type Value,
} from "../../bson/mod.ts";
import type { Filter, PathFilter } from "./filter.ts";

export function renderFilter(filter: Filter): Document {
  switch (filter.kind) {
    case "and":
    case "or":
    case "nor":
      return BuiltDocument.of({ [`$${filter.kind}`]: filter.filters.map(renderFilter) });
    case "not":
      return renderNot(filter.filter);
    case "constant":
      return filter.value ? BuiltDocument.EMPTY : BuiltDocument.of({ $alwaysFalse: Int32.of(1) });
    case "expr":
      return BuiltDocument.of({ $expr: filter.source });
    case "jsonSchema":
      return BuiltDocument.of({ $jsonSchema: filter.source });
    case "sampleRate":
      return BuiltDocument.of({ $sampleRate: filter.rate });
    default:
      return BuiltDocument.of({ [filter.path.join(".")]: renderOperator(filter) });
  }
}

/** `{a: {$not: …}}` where the negated filter is of one field, `$nor` elsewhere. */
function renderNot(filter: Filter): Document {
  if (!("path" in filter)) return BuiltDocument.of({ $nor: [renderFilter(filter)] });
  return BuiltDocument.of({ [filter.path.join(".")]: BuiltDocument.of({ $not: renderOperator(filter) }) });
}

function renderOperator(filter: PathFilter): Document {
  const [name, value] = operatorOf(filter);
  return BuiltDocument.of({ [name]: value });
}

function operatorOf(filter: PathFilter): readonly [string, Value] {
  switch (filter.kind) {
    case "comparison":
      return [filter.operator, filter.value];
    case "in":
      return ["$in", [
        ...filter.values.toSorted(compareValues),
        ...filter.patterns.map((each) => regExpOf(each.pattern, each.options)),
      ]];
    case "regex":
      return ["$regex", filter.pattern];
    case "exists":
      return ["$exists", true];
    case "type":
      return ["$type", [...filter.types].map((type) => aliasOfType(type as BsonType))];
    case "geo":
      return [filter.operator, filter.source];
    case "mod":
      return ["$mod", [filter.divisor, filter.remainder]];
    case "bits":
      return [filter.operator, filter.positions.map((position) => Int32.of(position))];
    case "near":
      return [filter.operator, filter.source];
    case "size":
      return ["$size", Int32.of(filter.size)];
    case "elemMatchObject":
      return ["$elemMatch", renderFilter(filter.filter)];
    case "elemMatchValue":
      return ["$elemMatch", elementOperators(filter.filters)];
  }
}

/** Filters without a path, in one document: `{$gt: 1, $lt: 5}`. */
function elementOperators(filters: readonly Filter[]): Document {
  const names: string[] = [];
  const values: Value[] = [];
  for (const filter of filters) {
    const inner = renderFilter(filter).get("");
    const operators = inner as Document | undefined;
    names.push(...(operators?.names() ?? []));
    values.push(...(operators?.values() ?? []));
  }
  return new BuiltDocument(names, values);
}

function regExpOf(pattern: string, options: string): BSONRegExp {
  return new BSONRegExp(pattern, options);
}
