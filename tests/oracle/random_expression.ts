/**
 * Random expressions by the type that they give: each operator mostly gets operands that it takes, so that it computes something,
 * and now and then any field at all. The same draws give the same expressions for ever.
 *
 * Not asked is what MongoDB leaves open or its libraries round their own way: transcendental functions of decimals, the type that
 * stays of numbers that are equal in a set. Nor what the cases of expressions that differ speak of: sums of dates before 1970 with
 * milliseconds, $replaceAll of an empty text.
 */
import { Decimal128, type Document, Double, Int32, Long } from "bson";

/** What random expressions are drawn from. */
export interface ExpressionDraws {
  below(limit: number): number;
  pick<T>(from: readonly T[]): T;
  value(depth: number): unknown;
  number(): unknown;
}

type Kind = "number" | "text" | "date" | "list" | "set" | "truth" | "document";
type Draw = (inner: (kind: Kind) => unknown, draws: ExpressionDraws) => unknown;

const ANY_FIELD = ["$a", "$b", "$n", "$n.x", "$n.y", "$m", "$m.k", "$a.x", "$z", "$b.y"];
const TEXTS = [
  "",
  "x",
  "h1",
  "xyz",
  "1",
  "Straße",
  "a,b,c",
  " pad ",
  "Éa",
  "12.5",
  "2024-03-10T02:30:00Z",
  "h",
];
const ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "+05:30", "-03", "Pacific/Apia"];
const UNITS = ["year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond"];
const DAYS = ["monday", "sunday", "wed", "Fri", "SATURDAY"];
const DATE_PARTS = [
  "$year",
  "$month",
  "$dayOfMonth",
  "$dayOfWeek",
  "$dayOfYear",
  "$week",
  "$isoWeek",
  "$isoWeekYear",
  "$isoDayOfWeek",
  "$hour",
  "$minute",
  "$second",
  "$millisecond",
];
const FORMATS = ["%Y-%m-%d", "%H:%M:%S.%L", "%G-W%V-%u", "%j %U %w", "%z %Z", "%d/%m/%Y%%", undefined];
const TYPES = ["int", "long", "double", "decimal", "string", "bool", "date", "objectId"];
const DATES = [
  new Date("2024-03-31T01:30:00Z"),
  new Date("2024-02-29T12:00:00.123Z"),
  new Date("1969-12-31T23:59:59Z"),
  new Date("2023-12-31T23:59:59.999Z"),
];

const LEAVES: Readonly<Record<Kind, (draws: ExpressionDraws) => unknown>> = {
  number: (draws) => draws.pick<unknown>(["$c", "$c", "$d", "$n.y", "$_id", literalNumber(draws)]),
  text: (draws) => draws.pick<unknown>(["$m.h", { $literal: draws.pick(TEXTS) }, draws.pick(TEXTS)]),
  date: (draws) => draws.pick<unknown>(["$t", "$t", draws.pick(DATES)]),
  list: (draws) =>
    draws.pick<unknown>(["$a", ["$c", "$d"], { $literal: numbers(draws) }, ["$m.h", "x", null]]),
  set: (draws) => draws.pick<unknown>([["$m.h", "x"], ["$c"], { $literal: draws.pick(SETS) }, ["$t", "$b"]]),
  truth: (draws) => draws.pick<unknown>([true, false, { $gt: ["$c", 4] }, { $lt: ["$d", 1] }]),
  document: (draws) => draws.pick<unknown>(["$n", { c: "$c", z: "$z" }, { $literal: { y: 1, x: 2 } }]),
};
const SETS = [["x", "h1"], [1, 2, 3].map((n) => new Int32(n)), [], [null, true], ["h0", "h1", "h2"]];

const OPERATORS: Readonly<Record<Kind, readonly Draw[]>> = {
  number: [
    (inner, { pick }) => ({
      [pick(["$add", "$multiply"])]: [inner("number"), inner("number"), inner("number")],
    }),
    (inner, { pick }) => ({ [pick(["$subtract", "$divide", "$mod"])]: [inner("number"), inner("number")] }),
    (inner, { pick }) => ({ [pick(["$abs", "$ceil", "$floor"])]: inner("number") }),
    (inner, { pick, below }) => ({ [pick(["$round", "$trunc"])]: [inner("number"), below(5) - 2] }),
    (_, { pick }) => ({ [pick(["$sqrt", "$ln", "$log10", "$exp", "$sin", "$atan"])]: pick(["$c", "$d"]) }),
    (_, { pick, below }) => ({ $pow: [pick(["$c", "$d"]), below(6) - 2] }),
    (inner, { pick }) => ({ [pick(["$strLenCP", "$strLenBytes"])]: inner("text") }),
    (inner) => ({ $size: [inner("list")] }),
    (inner, draws) => ({ $indexOfArray: [inner("list"), literalNumber(draws)] }),
    (inner, { pick }) => ({ [pick(["$indexOfCP", "$indexOfBytes"])]: [inner("text"), inner("text")] }),
    (inner, { pick }) => ({ [pick(DATE_PARTS)]: { date: inner("date"), timezone: pick(ZONES) } }),
    (inner, { pick }) => ({ [pick(DATE_PARTS)]: inner("date") }),
    (inner, { pick }) => ({
      $dateDiff: {
        startDate: inner("date"),
        endDate: inner("date"),
        unit: pick(UNITS),
        timezone: pick(ZONES),
        startOfWeek: pick(DAYS),
      },
    }),
    (inner, { pick }) => ({ [pick(["$sum", "$avg", "$stdDevPop", "$stdDevSamp"])]: [inner("list")] }),
    (inner) => ({ $cmp: [inner("number"), inner("number")] }),
    (inner) => ({ $strcasecmp: [inner("text"), inner("text")] }),
    (inner) => ({
      $reduce: { input: inner("list"), initialValue: 0, in: { $add: ["$$value", { $size: [["$$this"]] }] } },
    }),
    (inner) => ({ $subtract: [inner("date"), inner("date")] }),
    (inner) => ({ $bsonSize: inner("document") }),
    (inner, { pick }) => ({
      $convert: {
        input: inner(pick(["number", "text", "truth", "date"])),
        to: pick(TYPES),
        onError: -1,
        onNull: 0,
      },
    }),
    (inner, { pick }) => ({
      [pick(["$toInt", "$toLong", "$toDouble", "$toDecimal"])]: inner(pick(["number", "truth"])),
    }),
    (inner) => ({ $binarySize: inner("text") }),
  ],
  text: [
    (inner) => ({ $concat: [inner("text"), "-", inner("text")] }),
    (inner, { pick }) => ({
      [pick(["$toUpper", "$toLower"])]: inner(pick(["text", "text", "number", "date"])),
    }),
    (inner, { pick, below }) => ({
      [pick(["$substrCP", "$substrBytes"])]: [inner("text"), below(3), below(4)],
    }),
    (inner, { pick }) => ({ [pick(["$trim", "$ltrim", "$rtrim"])]: { input: inner("text") } }),
    (inner, { pick }) => ({
      [pick(["$trim", "$ltrim", "$rtrim"])]: { input: inner("text"), chars: pick(["x", "h1", "aé ", ","]) },
    }),
    (inner, { pick }) => ({
      [pick(["$replaceOne", "$replaceAll"])]: {
        input: inner("text"),
        find: pick(["x", "h", "1"]),
        replacement: inner("text"),
      },
    }),
    (inner, { pick }) => ({ $toString: inner(pick(["number", "date", "truth", "text"])) }),
    (inner, { pick }) => ({
      $dateToString: withoutUndefined({ date: inner("date"), format: pick(FORMATS), timezone: pick(ZONES) }),
    }),
    (inner, { pick }) => ({ $type: inner(pick(["number", "text", "date", "list", "truth", "document"])) }),
    (inner, { below }) => ({ $arrayElemAt: [{ $split: [inner("text"), ","] }, below(4) - 2] }),
    (inner) => ({
      $reduce: {
        input: { $split: [inner("text"), "1"] },
        initialValue: "",
        in: { $concat: ["$$value", "|", "$$this"] },
      },
    }),
  ],
  date: [
    (_, { pick, below }) => ({
      [pick(["$dateAdd", "$dateSubtract"])]: {
        startDate: pick<unknown>(["$t", "$t", DATES[0], DATES[1], "$a"]),
        unit: pick(UNITS),
        amount: below(30) - 10,
        timezone: pick(ZONES),
      },
    }),
    (inner, { pick, below }) => ({
      $dateTrunc: {
        date: inner("date"),
        unit: pick(UNITS),
        binSize: 1 + below(13),
        timezone: pick(ZONES),
        startOfWeek: pick(DAYS),
      },
    }),
    (_, { pick, below }) => ({
      $dateFromParts: {
        year: 2000 + below(30),
        month: below(15) - 1,
        day: below(40) - 3,
        hour: "$c",
        minute: below(70),
        timezone: pick(ZONES),
      },
    }),
    (_, { pick, below }) => ({
      $dateFromParts: {
        isoWeekYear: 2015 + below(12),
        isoWeek: below(56),
        isoDayOfWeek: "$c",
        timezone: pick(ZONES),
      },
    }),
    (inner, { pick }) => ({
      $dateFromString: {
        dateString: pick<unknown>([
          { $toString: inner("date") },
          inner("text"),
          "2024-05-06 07:08",
          "1 Feb 2024",
        ]),
        timezone: pick(["UTC", "Europe/Berlin"]),
        onError: new Date(0),
        onNull: null,
      },
    }),
    (inner) => ({
      $dateFromString: {
        dateString: { $dateToString: { date: inner("date"), format: "%d.%m.%Y %H:%M" } },
        format: "%d.%m.%Y %H:%M",
      },
    }),
    (inner, { pick }) => ({ [pick(["$add", "$subtract"])]: [inner("date"), inner("number")] }),
    (_, { below }) => ({
      $toDate: { $multiply: [Long.fromNumber(1_000_000), Long.fromNumber(below(3_000_000))] },
    }),
  ],
  list: [
    (inner) => ({ $map: { input: inner("list"), as: "e", in: ["$$e", inner("number")] } }),
    (inner, { pick }) => ({
      $map: { input: inner("list"), in: { [pick(["$type", "$isNumber", "$toBool", "$isArray"])]: "$$this" } },
    }),
    (inner, draws) => ({
      $filter: {
        input: inner("list"),
        as: "e",
        cond: { [draws.pick(["$gt", "$lte", "$ne"])]: ["$$e", literalNumber(draws)] },
      },
    }),
    (inner, { below }) => ({ $filter: { input: inner("list"), cond: "$$this", limit: 1 + below(3) } }),
    (inner) => ({ $concatArrays: [inner("list"), inner("list")] }),
    (inner, { below }) => ({ $slice: [inner("list"), below(7) - 3] }),
    (inner, { below }) => ({ $slice: [inner("list"), below(5) - 3, 1 + below(3)] }),
    (inner) => ({ $reverseArray: [inner("list")] }),
    (inner, { pick }) => ({
      $sortArray: { input: inner("list"), sortBy: pick<unknown>([1, -1, { x: 1 }, { y: -1, x: 1 }]) },
    }),
    (_, { below, pick }) => ({ $range: [below(5), "$c", pick([1, 2, -1])] }),
    (inner) => ({ $split: [inner("text"), "1"] }),
    (inner, { pick }) => ({
      $zip: {
        inputs: [inner("list"), inner("list")],
        useLongestLength: true,
        defaults: [pick([0, "z"]), null],
      },
    }),
    (inner) => ({ $zip: { inputs: [inner("list"), inner("set")] } }),
    (inner) => ({ $objectToArray: [inner("document")] }),
    (inner, { pick, below }) => ({
      [pick(["$firstN", "$lastN"])]: { n: 1 + below(3), input: inner("list") },
    }),
    (inner, { pick, below }) => ({
      [pick(["$maxN", "$minN"])]: { n: 1 + below(3), input: ["$c", "$m.h", inner("text")] },
    }),
    (inner) => ({ $regexFindAll: { input: inner("text"), regex: "([a-z])(\\d)?" } }),
    (inner) => inner("set"),
  ],
  set: [
    (inner) => ({ $setUnion: [inner("set"), inner("set")] }),
    (inner, { pick }) => ({ [pick(["$setIntersection", "$setDifference"])]: [inner("set"), inner("set")] }),
  ],
  truth: [
    (inner, { pick }) => ({ [pick(["$eq", "$ne", "$gt", "$lte"])]: [inner("number"), inner("number")] }),
    (inner, { pick }) => ({ [pick(["$eq", "$lt", "$gte"])]: [inner("date"), inner("date")] }),
    (inner, { pick }) => ({ [pick(["$and", "$or"])]: [inner("truth"), inner("truth"), inner("number")] }),
    (inner) => ({ $not: [inner("truth")] }),
    (inner) => ({ $in: [inner("number"), inner("list")] }),
    (inner, { pick }) => ({ [pick(["$allElementsTrue", "$anyElementTrue"])]: [inner("list")] }),
    (inner, { pick }) => ({ [pick(["$setEquals", "$setIsSubset"])]: [inner("set"), inner("set")] }),
    (inner, { pick }) => ({
      $regexMatch: {
        input: inner("text"),
        regex: pick(["^h", "1$", "[X-Z]", "a.*c"]),
        options: pick(["", "i", "s"]),
      },
    }),
    (inner, { pick }) => ({
      [pick(["$isNumber", "$toBool", "$isArray"])]: inner(pick(["number", "text", "list", "date"])),
    }),
  ],
  document: [
    (inner) => ({ $mergeObjects: [inner("document"), inner("document"), { c: inner("number") }] }),
    (inner) => ({
      $arrayToObject: [[{ k: inner("text"), v: inner("number") }, { k: "x", v: inner("list") }]],
    }),
    (inner, { pick }) => ({
      $setField: { field: pick(["x", "y", "q"]), input: inner("document"), value: inner("text") },
    }),
    (inner, { pick }) => ({ $unsetField: { field: pick(["x", "y", "q"]), input: inner("document") } }),
    (inner, { pick }) => ({
      $dateToParts: { date: inner("date"), timezone: pick(ZONES), iso8601: pick([true, false]) },
    }),
    (inner) => ({ $regexFind: { input: inner("text"), regex: "(h)|(x)", options: "i" } }),
    (inner, { pick }) => ({ p: inner(pick(["number", "text", "list", "date", "truth"])), q: "$$REMOVE" }),
  ],
};

/** Operators that give what their branches give. */
const CHOICES: readonly ((inner: (kind: Kind) => unknown, kind: Kind, draws: ExpressionDraws) => unknown)[] =
  [
    (inner, kind) => ({ $cond: [inner("truth"), inner(kind), inner(kind)] }),
    (inner, kind) => ({
      $switch: { branches: [{ case: inner("truth"), then: inner(kind) }], default: inner(kind) },
    }),
    (inner, kind, { pick }) => ({ $ifNull: [pick(ANY_FIELD), inner(kind)] }),
    (inner, kind) => ({
      $let: {
        vars: { v: inner(kind), w: inner("number") },
        in: { $cond: [{ $gt: ["$$w", 2] }, "$$v", "$$v"] },
      },
    }),
    (inner, kind, { below }) => ({ $arrayElemAt: [[inner(kind), inner(kind)], below(4) - 2] }),
    (inner, kind, { pick }) => ({ [pick(["$first", "$last"])]: [[inner(kind), inner(kind)]] }),
    (inner, kind, { pick }) => ({ [pick(["$max", "$min"])]: [inner(kind), null] }),
    (inner, kind) => ({ $getField: { field: "f", input: { f: inner(kind) } } }),
  ];

/** An expression of any type. */
export function randomExpression(draws: ExpressionDraws, depth: number): unknown {
  const kinds: readonly Kind[] = [
    "number",
    "number",
    "text",
    "text",
    "date",
    "date",
    "list",
    "set",
    "truth",
    "document",
  ];
  return expressionOf(draws, draws.pick(kinds), depth);
}

function expressionOf(draws: ExpressionDraws, kind: Kind, depth: number): unknown {
  if (draws.below(25) === 0) return draws.pick(ANY_FIELD);
  if (depth === 0) return LEAVES[kind](draws);
  const inner = (needed: Kind) => expressionOf(draws, needed, draws.below(3) === 0 ? 0 : depth - 1);
  if (draws.below(6) === 0) return draws.pick(CHOICES)(inner, kind, draws);
  return draws.pick(OPERATORS[kind])(inner, draws);
}

function literalNumber(draws: ExpressionDraws): unknown {
  return draws.pick<() => unknown>([
    () => draws.below(10) - 2,
    () => new Double(draws.below(40) / 8),
    () => Long.fromInt(draws.below(100)),
    () => Decimal128.fromString(`${draws.below(20)}.25`),
    () => draws.number(),
  ])();
}

function numbers(draws: ExpressionDraws): unknown[] {
  return Array.from({ length: draws.below(5) }, () => literalNumber(draws));
}

function withoutUndefined(document: Document): Document {
  return Object.fromEntries(Object.entries(document).filter(([, value]) => value !== undefined));
}
