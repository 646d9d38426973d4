/** Random conditions of filters that look into arrays, bits, types and texts. The same draws give the same conditions for ever. */
import type { Document } from "bson";
import type { ExpressionDraws } from "./random_expression.ts";

const COMPARISONS = ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"];

/** What stands behind a field in a filter. */
export function randomCondition(draws: ExpressionDraws): Document {
  return draws.pick<() => Document>([
    () => ({ $elemMatch: comparison(draws) }),
    () => ({ $elemMatch: { ...comparison(draws), ...comparison(draws) } }),
    () => ({ $elemMatch: { [draws.pick(["x", "y"])]: draws.value(0) } }),
    () => ({ $elemMatch: { x: comparison(draws), y: { $exists: draws.below(2) === 0 } } }),
    () => ({ $all: [draws.value(0), draws.value(0)].slice(draws.below(2)) }),
    () => ({ $all: [{ $elemMatch: comparison(draws) }] }),
    () => ({ $size: draws.below(4) }),
    () => ({ $mod: [1 + draws.below(4), draws.below(3)] }),
    () => ({
      [draws.pick(["$bitsAllSet", "$bitsAnySet", "$bitsAllClear", "$bitsAnyClear"])]: draws.below(8),
    }),
    () => ({ $bitsAllSet: [draws.below(3), draws.below(3)] }),
    () => ({
      $regex: draws.pick(["^H", "^x.*z$", "[0-9]", "h(1|2)"]),
      $options: draws.pick(["", "i", "m", "x"]),
    }),
    () => ({ $not: { $elemMatch: comparison(draws) } }),
    () => ({ $not: { $size: draws.below(3) } }),
    () => ({ $not: { $regex: draws.pick(["^h", "x"]) } }),
    () => ({ $type: [draws.pick(["int", "string"]), draws.pick(["double", "array", "null"])] }),
    () => ({ $nin: [draws.value(0), null, /^h/] }),
    () => ({ $in: [/^x/, draws.value(1), draws.value(0)] }),
  ])();
}

/** Conditions on a document as a whole. An `$expr` speaks of more than the meta: see the case of time_series_query.yaml that differs. */
export function randomWhole(draws: ExpressionDraws, expression: unknown): Document {
  return draws.pick<() => Document>([
    () => ({ $expr: { $and: [expression, { $lt: ["$c", 8] }] } }),
    () => ({ $expr: { $or: [expression, { $lt: ["$c", 2] }] } }),
    () => ({
      $jsonSchema: {
        required: [draws.pick(["a", "b", "n"])],
        properties: { [draws.pick(["a", "b"])]: schema(draws) },
      },
    }),
    () => ({
      $jsonSchema: { anyOf: [{ properties: { a: schema(draws) } }, { properties: { n: schema(draws) } }] },
    }),
  ])();
}

function comparison(draws: ExpressionDraws): Document {
  return { [draws.pick(COMPARISONS)]: draws.value(0) };
}

function schema(draws: ExpressionDraws): Document {
  return draws.pick<Document>([
    { bsonType: draws.pick(["int", "string", "array", "number", "object"]) },
    { bsonType: ["double", "null", "bool"] },
    { minimum: draws.below(4) },
    { maximum: draws.below(4), exclusiveMaximum: true },
    { minLength: 1, maxLength: 2 },
    { pattern: "^[hx]" },
    { minItems: 1, maxItems: 2 },
    { uniqueItems: true },
    { items: { bsonType: "number" } },
    { required: ["x"] },
    { not: { bsonType: "number" } },
    { enum: [draws.value(0), draws.value(1)] },
    { multipleOf: 2 },
    { type: draws.pick(["number", "string", "object"]) },
  ]);
}
