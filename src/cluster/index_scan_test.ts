/** Queries and writes with indexes do what they do without; and an index is read where it helps. */
import assert from "node:assert/strict";
import { inspect } from "node:util";
import { type Random, seededRandom } from "../base/mod.ts";
import {
  BSONRegExp,
  BuiltDocument,
  Document,
  encodeDocument,
  Int32,
  isArray,
  MaxKey,
  MinKey,
  RawDocument,
  UtcDate,
  type Value,
} from "../bson/mod.ts";
import { MemoryDisk } from "../io/mod.ts";
import {
  type CommandContext,
  newScanCounters,
  parseCountCommand,
  parseFind,
  type Pipeline,
  readCount,
} from "../query/mod.ts";
import { shownDocument } from "../storage/mod.ts";
import { openNode, PLAIN } from "./node_fixture.ts";
import type { Node } from "./node.ts";

const INDEXED = { db: "d", collection: "indexed" };
const BARE = { db: "d", collection: "bare" };

type Plain = null | boolean | number | string | Value | readonly Plain[] | { readonly [name: string]: Plain };

function valueOf(plain: Plain): Value {
  if (isArray(plain as Value)) return (plain as readonly Plain[]).map(valueOf);
  const isPlainObject = typeof plain === "object" && plain !== null &&
    Object.getPrototypeOf(plain) === Object.prototype;
  return isPlainObject ? documentOf(plain as Record<string, Plain>) : plain as Value;
}

function documentOf(fields: Readonly<Record<string, Plain>>): BuiltDocument {
  return BuiltDocument.of(
    Object.fromEntries(Object.entries(fields).map(([name, plain]) => [name, valueOf(plain)])),
  );
}

function context(): CommandContext {
  return { nowMs: 0, variables: new Map(), checkpoint: () => Promise.resolve(), counters: newScanCounters() };
}

interface IndexSet {
  readonly indexes: readonly {
    readonly key: Readonly<Record<string, Plain>>;
    readonly [option: string]: Plain;
  }[];
  /** Indexes that have all documents, whatever is asked. */
  readonly hints: readonly string[];
  /** Those that random queries find to be the best. */
  readonly used: readonly string[];
}

const ORDERED: IndexSet = {
  indexes: [
    { key: { a: 1 } },
    { key: { a: 1, b: -1 } },
    { key: { b: -1, c: 1 } },
    { key: { "d.x": 1, "d.y": 1 } },
    { key: { c: 1 }, sparse: true },
    { key: { b: 1 }, partialFilterExpression: { a: { $gt: 1 } } },
    { key: { "a.0": 1 } },
    { key: { a: -1, c: 1, b: 1 }, hidden: true },
  ],
  hints: ["i0", "i1", "i2", "i3"],
  used: ["_id_", "i0", "i1", "i2", "i3", "i4", "OR"],
};
const OF_KINDS: IndexSet = {
  indexes: [
    { key: { b: "hashed", c: 1 } },
    { key: { c: "hashed" }, sparse: true },
    { key: { "$**": 1 } },
    { key: { "d.$**": 1 } },
  ],
  hints: ["i0"],
  used: ["_id_", "i0", "i1", "i2", "OR"],
};

function specs({ indexes }: IndexSet): Document[] {
  return indexes.map((options, i) => {
    const key = Object.entries(options.key).map(([name, direction]) => {
      return [name, typeof direction === "number" ? Int32.of(direction) : direction];
    });
    return documentOf({
      v: Int32.of(2),
      ...options,
      key: documentOf(Object.fromEntries(key)),
      name: `i${i}`,
    });
  });
}

function randomValue(random: Random): Plain {
  const small = Math.floor(random() * 4);
  const rare = [
    Infinity,
    -Infinity,
    NaN,
    -2,
    1e300,
    new UtcDate(small),
    2n ** 62n,
    "",
    new MinKey(),
    new MaxKey(),
  ];
  if (random() < 0.1) return rare[Math.floor(random() * rare.length)]!;
  const kind = Math.floor(random() * 9);
  return [
    small,
    small,
    small + 0.5,
    String(small),
    null,
    random() < 0.5,
    Int32.of(small),
    { x: small },
    "2" + "1".repeat(small),
  ][kind]!;
}

function randomField(random: Random, withArrays: boolean): Plain {
  if (!withArrays || random() < 0.7) return randomValue(random);
  return Array.from(
    { length: Math.floor(random() * 4) },
    () => random() < 0.1 ? [randomValue(random)] : randomValue(random),
  );
}

function randomDocument(random: Random, id: number, withArrays: boolean): RawDocument {
  const fields: Record<string, Plain> = { _id: id };
  for (const name of ["a", "b", "c"]) {
    // Parallel arrays have no place in an index.
    if (random() < 0.8) fields[name] = randomField(random, withArrays && name === "a");
  }
  const inner = () => ({ x: randomValue(random), y: randomValue(random) });
  if (random() < 0.5) fields["d"] = withArrays && random() < 0.5 ? [inner(), inner()] : inner();
  return new RawDocument(encodeDocument(documentOf(fields)));
}

/** The first ones are sorted by, too. */
const PATHS = ["a", "a", "b", "c", "_id", "d.x", "d.y", "a.0"];
const SORTED_PATHS = 5;
/** Names no index: all documents are looked at. */
const WITHOUT_INDEX = "$natural";

function randomCondition(random: Random, withArrays: boolean): Plain {
  const operator = ["$eq", "$gt", "$gte", "$lt", "$lte", "$ne"][Math.floor(random() * 6)]!;
  const list = () => Array.from({ length: Math.floor(random() * 4) }, () => randomField(random, withArrays));
  switch (Math.floor(random() * 9)) {
    case 0:
      return { [random() < 0.7 ? "$in" : "$nin"]: list() };
    case 1:
      return { $gte: Math.floor(random() * 3), $lt: 1 + Math.floor(random() * 3) };
    case 2:
      return { $exists: random() < 0.5 };
    case 3:
      return { $not: { [operator]: randomValue(random) } };
    case 4:
      return random() < 0.5 ? randomPattern(random) : { $in: [...list(), randomPattern(random)] };
    case 5:
      return { $elemMatch: { [operator]: randomValue(random), $lte: randomValue(random) } };
    default:
      return { [operator]: operator === "$eq" ? randomField(random, withArrays) : randomValue(random) };
  }
}

function randomPattern(random: Random): Plain {
  const patterns = ["^2", "^21", "^211*", "^2\\d", "^21.*", "1$", "^(2|1)", "^2|^1", "^2?", "^\\.", "^"];
  return new BSONRegExp(patterns[Math.floor(random() * patterns.length)]!, random() < 0.9 ? "" : "i");
}

function randomFilter(random: Random, withArrays: boolean, depth = 0): Record<string, Plain> {
  const filter: Record<string, Plain> = {};
  const condition = () => randomCondition(random, withArrays);
  for (let i = Math.floor(random() * (3 - depth)); i >= 0; i--) {
    filter[PATHS[Math.floor(random() * PATHS.length)]!] = condition();
  }
  if (random() < 0.2) {
    filter["d"] = { $elemMatch: random() < 0.5 ? { x: condition() } : { x: condition(), y: condition() } };
  }
  if (depth === 0 && random() < 0.3) {
    filter["$or"] = Array.from(
      { length: 1 + Math.floor(random() * 3) },
      () => randomFilter(random, withArrays, 1),
    );
    if (random() < 0.5) return { $or: filter["$or"]! };
  }
  return filter;
}

function randomQuery(random: Random, withArrays: boolean) {
  const filter = randomFilter(random, withArrays);
  const sort: Record<string, Plain> = {};
  if (random() < 0.5) {
    for (let i = Math.floor(random() * 2); i >= 0; i--) {
      sort[PATHS[Math.floor(random() * SORTED_PATHS)]!] = random() < 0.5 ? 1 : -1;
    }
  }
  return { filter: documentOf(filter), sort: documentOf(sort) };
}

async function rowsOf(node: Node, namespace: typeof BARE, pipeline: Pipeline): Promise<Document[]> {
  const rows: Document[] = [];
  for await (const batch of node.router.query(namespace, pipeline, context())) rows.push(...batch);
  return rows;
}

const textOf = (value: Value) => encodeDocument(new BuiltDocument(["v"], [value])).join();
const idsOf = (rows: readonly Document[]) => rows.map((row) => row.get("_id")).sort();
const keysOf = (rows: readonly Document[], sort: Document) =>
  rows.map((row) => sort.names().map((name) => textOf(normal(row.get(name)))).join(";"));

/** Missing and null sort alike, and 1 as 1.0. */
function normal(value: Value): Value {
  return value === undefined ? null : value instanceof Int32 ? value.value : value;
}

async function winningStage(node: Node, pipeline: Pipeline): Promise<Document> {
  const plan = await node.router.explain(INDEXED, pipeline, context(), "queryPlanner");
  let stage = (plan.get("queryPlanner") as Document).get("winningPlan") as Document;
  while (stage.get("inputStage") instanceof Document) stage = stage.get("inputStage") as Document;
  return stage;
}

async function prepared(random: Random, withArrays: boolean, set = ORDERED): Promise<Node> {
  const node = await openNode(new MemoryDisk());
  for (const namespace of [INDEXED, BARE]) await node.router.createCollection(namespace, PLAIN);
  const documents = Array.from({ length: 150 }, (_, i) => randomDocument(random, i, withArrays));
  for (const namespace of [INDEXED, BARE]) {
    assert.deepEqual((await node.router.insert(namespace, documents.slice(0, 100), true)).errors, []);
  }
  await node.router.createIndexes(INDEXED, () => specs(set), () => Promise.resolve());
  for (const namespace of [INDEXED, BARE]) {
    assert.deepEqual((await node.router.insert(namespace, documents.slice(100), true)).errors, []);
  }
  return node;
}

for (
  const [withArrays, set] of [[false, ORDERED], [true, ORDERED], [false, OF_KINDS], [true, OF_KINDS]] as const
) {
  const title = `${withArrays ? "with" : "without"} arrays, by ${
    set === ORDERED ? "ordered" : "other"
  } indexes`;
  Deno.test(`${title}: a query finds what it finds without`, async () => {
    const used = new Map<unknown, number>();
    for (let seed = 1; seed <= 3; seed++) {
      const random = seededRandom(seed);
      const node = await prepared(random, withArrays, set);
      for (let i = 0; i < 250; i++) {
        const query = randomQuery(random, withArrays);
        const pipeline = parseFind(query);
        const found = await rowsOf(node, INDEXED, pipeline);
        const expected = await rowsOf(node, BARE, { ...pipeline, hint: WITHOUT_INDEX });
        const what = () => `${seed}/${i}: ${inspect([query.filter, query.sort], { depth: 9 })}`;
        assert.deepEqual(idsOf(found), idsOf(expected), what());
        if (!withArrays) assert.deepEqual(keysOf(found, query.sort), keysOf(expected, query.sort), what());
        const counted = {
          ...parseCountCommand({ query: query.filter }),
          hint: random() < 0.3 ? "i0" : undefined,
        };
        assert.equal(
          (await readCount(node.router.query(INDEXED, counted, context())) as Int32).value,
          expected.length,
          what(),
        );
        const stage = await winningStage(node, pipeline);
        const name = stage.get("indexName") ?? stage.get("stage");
        used.set(name, (used.get(name) ?? 0) + 1);
        const hint = set.hints[Math.floor(random() * set.hints.length)]!;
        assert.deepEqual(
          idsOf(await rowsOf(node, INDEXED, { ...pipeline, hint })),
          idsOf(expected),
          `${hint} ${what()}`,
        );
      }
      await node.close();
    }
    for (const name of set.used) {
      assert.ok((used.get(name) ?? 0) > 0, `${name} is used`);
    }
    assert.equal(used.get("i7"), undefined, "a hidden index is not");
  });
}

for (const set of [ORDERED, OF_KINDS]) {
  Deno.test(`writes by ${set === ORDERED ? "ordered" : "other"} indexes do what they do without`, async () => {
    const random = seededRandom(9);
    const node = await prepared(random, false, set);
    for (let i = 0; i < 120; i++) {
      const { filter } = randomQuery(random, false);
      const statement = random() < 0.15 ? { kind: "delete", filter, multi: true } as const : {
        kind: "update",
        filter,
        multi: true,
        update: documentOf({ $set: { b: randomValue(random), c: i } }),
      } as const;
      const results = [INDEXED, BARE].map((namespace) =>
        node.router.write(namespace, [statement], { ordered: true, context: context() })
      );
      const [mine, other] = await Promise.all(results);
      assert.deepEqual(mine, other, `${i}: ${inspect(filter, { depth: 9 })}`);
    }
    const all = parseFind({ sort: documentOf({ _id: 1 }) });
    const texts = async (namespace: typeof BARE) =>
      (await rowsOf(node, namespace, all)).map((row) => textOf(row));
    assert.deepEqual(await texts(INDEXED), await texts(BARE));
    await node.close();
  });
}

Deno.test("explain shows the path of a wildcard index, and hashes", async () => {
  const node = await prepared(seededRandom(1), false, OF_KINDS);
  const fieldsOf = async (filter: Plain, hint: string) => {
    const stage = await winningStage(node, { ...parseFind({ filter: valueOf(filter) as Document }), hint });
    const bounds = stage.get("indexBounds") as Document;
    return [
      shownDocument(stage.get("keyPattern") as Document),
      bounds.names().map((name) => bounds.get(name)),
      stage.has("multiKeyPaths"),
    ];
  };
  assert.deepEqual(await fieldsOf({ "d.x": { $gt: 1 } }, "i2"), [
    "{ $_path: 1, d.x: 1 }",
    [['["d.x", "d.x"]'], ["(1.0, inf.0]"]],
    true,
  ]);
  assert.deepEqual(await fieldsOf({ b: 5, c: 1 }, "i0"), [
    '{ b: "hashed", c: 1 }',
    [["[4470791281878691347, 4470791281878691347]"], ["[1.0, 1.0]"]],
    false,
  ]);
  await assert.rejects(fieldsOf({ b: { $ne: 1 } }, "i2"), { codeName: "NoQueryExecutionPlans" });
  await node.close();
});

Deno.test("explain shows index, bounds and what is left to ask of the documents", async () => {
  const node = await prepared(seededRandom(1), false);
  const explained = async (filter: Plain, sort: Plain = {}, hint?: string) => {
    const pipeline = parseFind({ filter: valueOf(filter) as Document, sort: valueOf(sort) as Document });
    const stage = await winningStage(node, hint === undefined ? pipeline : { ...pipeline, hint });
    const bounds = stage.get("indexBounds");
    return [
      stage.get("stage"),
      stage.get("indexName"),
      stage.get("direction"),
      bounds instanceof Document ? bounds.names().map((name) => [name, bounds.get(name)]) : undefined,
    ];
  };
  assert.deepEqual(await explained({ a: 2, b: { $gt: "x" } }), [
    "IXSCAN",
    "i1",
    "forward",
    [["a", ["[2.0, 2.0]"]], ["b", ['({}, "x")']]],
  ]);
  assert.deepEqual(await explained({ a: { $in: [3, 1] } }, { b: 1, c: -1 }, "i0"), [
    "IXSCAN",
    "i0",
    "forward",
    [["a", ["[1.0, 1.0]", "[3.0, 3.0]"]]],
  ]);
  assert.deepEqual(await explained({ a: { $lte: 3, $gt: 1 } }, { a: -1 }, "i0"), [
    "IXSCAN",
    "i0",
    "backward",
    [["a", ["[3.0, 1.0)"]]],
  ]);
  assert.deepEqual(await explained({ _id: { $gt: 7 } }, { _id: -1 }), [
    "IXSCAN",
    "_id_",
    "backward",
    [["_id", ["[inf.0, 7.0)"]]],
  ]);
  assert.deepEqual(await explained({ c: { $ne: 1 } }), ["COLLSCAN", undefined, "forward", undefined]);
  assert.deepEqual(await explained({ a: 1 }, {}, WITHOUT_INDEX), [
    "COLLSCAN",
    undefined,
    "forward",
    undefined,
  ]);
  const keyBounds = { min: documentOf({ a: 1 }), max: documentOf({ a: 3 }) };
  const between = await winningStage(node, { ...parseFind({}), hint: "i0", keyBounds });
  assert.equal(between.get("indexName"), "i0");
  assert.deepEqual(between.get("indexBounds"), BuiltDocument.EMPTY, "as MongoDB shows given keys");
  await node.close();
});
