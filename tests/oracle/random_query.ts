/**
 * Random documents and random questions about them, from a seed: the same seed asks the same for ever. They are made to meet
 * each other: few field names, few values, all types, so that filters match something and types meet in every order.
 *
 * Not asked is what MongoDB leaves open: which of two equal values of different types $min or distinct keeps, and how a sort
 * orders what it holds equal (arrays with the same least element, the rows that $unwind makes of one document). Nor what it does by
 * accident, see the cases of places_of_fields.yaml that differ.
 */
import { type Document, Double, Int32 } from "bson";
import { type Random, seededRandom } from "../../src/base/mod.ts";
import { type ExpressionDraws, randomExpression } from "./random_expression.ts";
import { randomCondition, randomWhole } from "./random_filter.ts";
import { randomStages } from "./random_stages.ts";
import { type Draws, randomUpdate } from "./random_update.ts";
import { RandomValues, START_MS } from "./random_value.ts";
import { randomWrite } from "./random_write.ts";

const FIELDS = ["a", "b", "c", "d", "n.x", "n.y", "n", "m", "m.h", "m.k", "t", "_id", "a.x", "a.0", "b.y"];
/** Behind it $group runs in MongoDB's classic engine, as most stages do; its other one words the errors of expressions its own way. */
const CLASSIC: Document = { $set: { classic: true } };
/** Those that hold one type only. */
const PLAIN_FIELDS = ["c", "d", "t", "m.h"];
const TYPES = [
  "int",
  "long",
  "double",
  "decimal",
  "string",
  "bool",
  "null",
  "array",
  "object",
  "date",
  "number",
];

/** Of the collection `indexed`. */
export const INDEX_KEYS: readonly Document[] = [
  { a: 1 },
  { c: 1, d: -1 },
  { "n.x": 1, _id: 1 },
  { "m.h": 1, c: 1 },
  { t: -1 },
  { "a.x": -1, b: 1 },
];

/** Makes documents and commands. */
export class RandomQueries {
  readonly #random: Random;
  readonly #values: RandomValues;
  readonly #draws: Draws & ExpressionDraws;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#values = new RandomValues(this.#random);
    this.#draws = {
      below: (limit) => this.#below(limit),
      pick: (from) => this.#pick(from),
      value: (depth) => this.#values.value(depth),
      number: () => this.#values.number(),
      filter: (depth) => this.#filter(depth),
      expression: (depth) => this.#expression(depth),
      document: () => this.documents(1)[0] ?? {},
    };
  }

  /** Documents for a time series with timeField `t` and metaField `m`. */
  documents(count: number): Document[] {
    return Array.from({ length: count }, (_, index) => ({
      _id: new Int32(index),
      t: new Date(START_MS + this.#below(200_000) * 1000),
      ...this.#sometimes(0.9, () => ({ m: this.#meta() })),
      ...this.#sometimes(0.8, () => ({ a: this.#values.value(2) })),
      ...this.#sometimes(0.8, () => ({ b: this.#values.value(1) })),
      c: new Int32(this.#below(10)),
      d: new Double(this.#below(40) / 8 - 2),
      ...this.#sometimes(
        0.5,
        () => ({
          n: { x: this.#values.value(1), ...this.#sometimes(0.5, () => ({ y: this.#values.number() })) },
        }),
      ),
    }));
  }

  /** A find, count, distinct or aggregate of the collection, and what is left of its answer. */
  commands(collection: string): Document[] {
    const command = this.#command(collection);
    // A view has the collation that it was made with, none.
    if (collection !== "view" && this.#random() < 0.06) return [{ ...command, collation: this.#collation() }];
    if ("batchSize" in command && this.#random() < 0.1) {
      // Where a limit ends a cursor differs, see find.yaml and time_series_query.yaml.
      const { limit: _, ...unlimited } = command;
      // Whether a full batch is known to be the last one goes by the plan, which MongoDB chooses by trial.
      const filter = collection === "indexed" ? {} : command["filter"];
      return [{ ...unlimited, filter, batchSize: 2 }, {
        getMore: { $lastCursor: 1 },
        collection,
        batchSize: 3,
      }];
    }
    return [command];
  }

  #command(collection: string): Document {
    switch (this.#below(15)) {
      case 0:
        return { count: collection, query: this.#filter(2) };
      case 1:
        // By an index, or of a view, the values come in an order of its own.
        if (collection === "indexed" || collection === "view") return this.#find(collection);
        return { distinct: collection, key: this.#pick(PLAIN_FIELDS), query: this.#filter(1) };
      case 2:
      case 3:
        return this.#aggregate(collection, this.#grouping());
      case 4:
        return this.#aggregate(collection, this.#reshaping(collection));
      case 5:
      case 6:
      case 7:
        return this.#aggregate(collection, randomStages(this.#draws, "plain"));
      case 8:
      case 9:
      case 10:
      case 11:
        return this.#aggregate(collection, this.#computing());
      default:
        return this.#find(collection);
    }
  }

  #aggregate(collection: string, pipeline: Document[]): Document {
    return { aggregate: collection, pipeline, cursor: { batchSize: 1000 } };
  }

  /** Commands that write to random documents of a collection, and show them. */
  write(collection: string, source: string): Document[] {
    return this.#random() < 0.7
      ? randomUpdate(this.#draws, collection)
      : randomWrite(this.#draws, collection, source);
  }

  #find(collection: string): Document {
    if (collection === "indexed" && this.#random() < 0.3) return this.#findByIndex();
    return withoutCutKey({
      find: collection,
      filter: this.#filter(2),
      sort: {
        ...this.#sometimes(0.6, () => ({ [this.#sortField(collection)]: this.#direction() })),
        _id: this.#direction(),
      },
      ...this.#sometimes(0.3, () => ({ skip: this.#below(5) })),
      ...this.#sometimes(0.4, () => ({ limit: 1 + this.#below(20) })),
      ...this.#sometimes(
        0.4,
        () => ({ projection: this.#projectionOfFind(collection) }),
      ),
      batchSize: 1000,
    });
  }

  /**
   * In the order of an index, and no more than its keys hold. Not of missing fields: where MongoDB reads keys alone, it makes
   * null of them.
   */
  #findByIndex(): Document {
    const key = this.#pick(INDEX_KEYS.filter((each) => !("a" in each || "a.x" in each)));
    const fields = Object.keys(key);
    const direction = this.#direction();
    const all = {
      ...Object.fromEntries(fields.map((field) => [field, 1])),
      ..."_id" in key ? {} : { _id: 0 },
    };
    return {
      find: "indexed",
      filter: {
        $and: [
          { [fields[0]!]: { $ne: null } },
          { [fields[0]!]: this.#condition() },
          ...this.#maybe(0.4, () => ({ [fields.at(-1)!]: this.#condition() })),
        ],
      },
      sort: Object.fromEntries(fields.map((field) => [field, direction * key[field]])),
      projection: all,
      ...this.#sometimes(0.5, () => ({ hint: key })),
      ...this.#sometimes(0.3, () => ({ skip: this.#below(5) })),
      ...this.#sometimes(0.3, () => ({ limit: 1 + this.#below(20) })),
      batchSize: 1000,
    };
  }

  /** Of a view elements of arrays are no keys, see views.yaml. */
  #sortField(collection: string): string {
    return this.#pick(collection === "view" ? FIELDS.filter((field) => !/^[ab][.]/.test(field)) : FIELDS);
  }

  /** A time series is found like a view in MongoDB, which takes no projections of arrays. */
  #projectionOfFind(collection: string): Document {
    if (collection === "series" || collection === "view" || this.#random() < 0.7) return this.#projection();
    return this.#pick<() => Document>([
      () => ({ a: { $slice: this.#below(5) - 2 } }),
      () => ({ a: { $slice: [this.#below(5) - 2, 1 + this.#below(2)] }, c: 1 }),
      () => ({ a: { $elemMatch: { [this.#pick(["$gt", "$lt", "$exists"])]: this.#values.number() } }, d: 1 }),
      () => ({ a: { $elemMatch: { x: this.#values.value(0) } } }),
      () => ({ "n.x": { $slice: 1 }, b: 0 }),
    ])();
  }

  #collation(): Document {
    return this.#pick<Document>([
      { locale: "en", strength: 1 },
      { locale: "en", strength: 2 },
      { locale: "de", strength: 3, caseFirst: "upper" },
      { locale: "fr", numericOrdering: true },
      { locale: "en", strength: 1, caseLevel: true },
      { locale: "simple" },
    ]);
  }

  /** Few rows, so that an operand of a wrong type does not end every one of these. */
  #computing(): Document[] {
    const expression = () => randomExpression(this.#draws, 1 + this.#below(3));
    const stages = this.#pick<() => Document[]>([
      () => [{ $project: { e: expression(), f: expression(), g: expression() } }],
      () => [{ $project: { e: expression(), f: expression() } }],
      () => [{ $project: { e: expression() } }],
      () => [{ $set: { [this.#pick(["e", "a", "n.e"])]: expression() } }, { $project: { t: 0 } }],
      () => [{ $match: { $expr: expression() } }, { $project: { c: 1 } }],
      () => [CLASSIC, { $group: { _id: expression(), n: { $sum: 1 } } }, { $sort: { _id: 1 } }],
      () => [CLASSIC, {
        $group: { _id: null, e: { [this.#pick(["$push", "$first", "$last", "$sum"])]: expression() } },
      }],
    ])();
    return [{ $sort: { _id: 1 } }, { $skip: this.#below(100) }, { $limit: 1 + this.#below(4) }, ...stages];
  }

  #grouping(): Document[] {
    const sort = { $sort: { [this.#pick(["t", "c", "d"])]: this.#direction(), _id: 1 } };
    const hours = { $dateTrunc: { date: "$t", unit: "hour", binSize: 6 } };
    const days = { $dateTrunc: { date: "$t", unit: "day" } };
    const sortable = [null, "$c", hours, { c: "$c", d: "$d" }, { h: "$m.h", t: days }];
    const isSortable = this.#random() < 0.5;
    const key = this.#pick<unknown>(isSortable ? sortable : ["$m", "$m.h", "$a", "$n.x"]);
    const operand = () => "$" + this.#pick(["a", "b", "c", "d", "n.x", "n.y", "t", "m.h", "m.k"]);
    const plainOperand = () => "$" + this.#pick(PLAIN_FIELDS);
    return [
      ...this.#maybe(0.6, () => ({ $match: this.#filter(1) })),
      sort,
      {
        $group: {
          _id: key,
          count: { $sum: 1 },
          number: { [this.#pick(["$sum", "$avg"])]: operand() },
          border: { [this.#pick(["$min", "$max"])]: plainOperand() },
          place: { [this.#pick(["$first", "$last", "$push"])]: operand() },
        },
      },
      ...this.#maybe(0.3, () => ({ $match: { count: { $gt: this.#below(10) } } })),
      ...(isSortable ? this.#maybe(0.5, () => ({ $sort: { count: -1, _id: 1 } })) : []),
    ];
  }

  /** `c` stays a number in a time series: of which row an error tells goes by their order, which is open. */
  #reshaping(collection: string): Document[] {
    const settable = ["a", "z", "n.x", "n.z", ...(collection === "series" ? [] : ["c"])];
    const stages = [
      () => ({ $match: this.#filter(1) }),
      () => ({ $project: this.#projection() }),
      () => ({ $set: { [this.#pick(settable)]: this.#expression(2) } }),
      () => ({ $unset: this.#pick(["b", "m.k", "a", "n.x"]) }),
      () => ({
        $unwind: { path: "$a", preserveNullAndEmptyArrays: this.#random() < 0.5, includeArrayIndex: "at" },
      }),
      () => ({ $sort: { [this.#pick(["a", "b", "c", "d", "t", "n.x"])]: this.#direction(), _id: 1 } }),
      // A bare path of the metaField finds nothing in MongoDB 6.0: it looks for it in the bucket.
      () => ({ $match: { $expr: { $and: [this.#expression(2), { $gte: ["$c", 0] }] } } }),
    ];
    const drawn: Document[] = Array.from({ length: 1 + this.#below(3) }, () => this.#pick(stages)());
    const asked = withoutAccidents(withOneUnwind(drawn));
    return [
      ...(collection === "series" ? withoutMadeOfMeta(asked) : asked),
      { $sort: { _id: 1, at: 1 } },
      { $limit: 30 },
    ];
  }

  #projection(): Document {
    const paths = ["a", "b", "c", "d", "n.x", "n.y", "m.h", "a.x", "t"];
    const chosen = new Set(Array.from({ length: 1 + this.#below(3) }, () => this.#pick(paths)));
    if (chosen.has("a")) chosen.delete("a.x");
    const flag = this.#random() < 0.7 ? 1 : 0;
    const fields = Object.fromEntries([...chosen].map((path) => [path, flag]));
    if (flag === 0 || this.#random() < 0.6) return fields;
    return { ...fields, computed: this.#expression(2) };
  }

  #expression(depth: number): unknown {
    if (depth === 0 || this.#random() < 0.2) {
      return this.#random() < 0.7 ? "$" + this.#pick(FIELDS) : { $literal: this.#values.value(1) };
    }
    const inner = () => this.#expression(depth - 1);
    const pair = () => [inner(), inner()];
    const two = ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$cmp", "$and", "$or", "$ifNull"];
    return this.#pick<() => unknown>([
      () => ({ [this.#pick(two)]: pair() }),
      () => ({ $cond: [inner(), inner(), inner()] }),
      () => ({ $add: ["$c", "$d"] }),
      () => ({ $multiply: ["$c", { $literal: this.#values.number() }] }),
      () => ({ $subtract: ["$d", "$c"] }),
      () => ({ $type: inner() }),
      () => ({ $not: [inner()] }),
      () => ({ $isArray: [inner()] }),
      () => [inner(), inner()],
      () => ({ p: inner() }),
    ])();
  }

  #filter(depth: number): Document {
    if (depth > 0 && this.#random() < 0.3) {
      const parts = Array.from({ length: 1 + this.#below(3) }, () => this.#filter(depth - 1));
      return { [this.#pick(["$and", "$or", "$nor"])]: parts };
    }
    if (this.#random() < 0.04) return randomWhole(this.#draws, this.#expression(2));
    const count = this.#pick([0, 1, 1, 1, 2]);
    return Object.fromEntries(Array.from({ length: count }, () => [this.#pick(FIELDS), this.#condition()]));
  }

  #condition(): unknown {
    const value = () =>
      this.#random() < 0.2 ? new Date(START_MS + this.#below(200) * 1_000_000) : this.#values.value(1);
    const compared = () => ({ [this.#pick(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"])]: value() });
    return this.#pick<() => unknown>([
      value,
      compared,
      compared,
      () => ({ $gte: this.#values.number(), $lt: this.#values.number() }),
      () => ({ [this.#pick(["$in", "$nin"])]: [value(), value(), value()] }),
      () => ({ $exists: this.#random() < 0.5 }),
      () => ({ $type: this.#pick(TYPES) }),
      () => ({ $not: compared() }),
      () => ({ $regex: this.#pick(["^h", "1$", "x", "."]) }),
      () => randomCondition(this.#draws),
      () => randomCondition(this.#draws),
    ])();
  }

  #meta(): unknown {
    const host = `h${this.#below(4)}`;
    return this.#random() < 0.1
      ? host
      : { h: host, ...this.#sometimes(0.3, () => ({ k: this.#values.value(0) })) };
  }

  #direction(): number {
    return this.#random() < 0.5 ? 1 : -1;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#below(from.length)] as T;
  }

  #sometimes(probability: number, make: () => Document): Document {
    return this.#random() < probability ? make() : {};
  }

  #maybe<T>(probability: number, make: () => T): T[] {
    return this.#random() < probability ? [make()] : [];
  }
}

/**
 * The rows of one document stay apart by the place of their element, `at`: of what is equal the order is open. No array that an
 * inclusion went into is unwound: MongoDB makes rows of what is gone from it.
 */
function withOneUnwind(stages: readonly Document[]): Document[] {
  const first = stages.findIndex((stage) => "$unwind" in stage);
  return stages.flatMap((stage, i) => {
    if (i < first && "$project" in stage) return [];
    if (first < 0 || i <= first) return [stage];
    if ("$unwind" in stage) return [];
    const { $project } = stage;
    return [
      $project !== undefined && Object.values($project).includes(1)
        ? { $project: { ...$project, at: 1 } }
        : stage,
    ];
  });
}

/** No field that an inclusion of nested fields cut down is set behind it: see the first case of places_of_fields.yaml that differs. */
function withoutAccidents(stages: readonly Document[]): Document[] {
  const rootOf = (path: string) => path.split(".")[0]!;
  const cut = new Set<string>();
  return stages.filter(({ $set = {}, $project = {} }) => {
    if (Object.values($project).includes(1)) {
      Object.keys($project).filter((path) => path.includes(".")).forEach((path) => cut.add(rootOf(path)));
    }
    return Object.keys($set).every((path) => !cut.has(rootOf(path)));
  });
}

/** Nothing that is made of the metaField alone stands right before an inclusion: see made_of_meta.yaml. */
function withoutMadeOfMeta(stages: readonly Document[]): Document[] {
  return stages.filter(({ $set }, i) => {
    const { $project = {} } = stages[i + 1] ?? {};
    return $set === undefined || !Object.values($project).includes(1) || !isOfMeta($set);
  });
}

/** Whether all paths that expressions name are the metaField's. */
function isOfMeta(set: Document): boolean {
  const paths = JSON.stringify(Object.values(set)).match(/"\$[a-z_][^"]*"(?!:)/g) ?? [];
  return paths.length > 0 && paths.every((path) => /^"\$m[".]/.test(path));
}

/** Not sorted by what the projection cuts down: MongoDB may do that before it sorts, see find.yaml. */
function withoutCutKey(find: Document): Document {
  const { sort, projection = {} } = find;
  return "a.x" in projection ? { ...find, sort: { _id: sort._id } } : find;
}
