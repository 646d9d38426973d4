import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { BuiltDocument, type Document, encodeDocument, Int32, UtcDate, type Value } from "../../bson/mod.ts";
import { parsePipeline } from "../parse.ts";
import type { MetaColumn } from "../source.ts";
import type { GroupStage } from "../stage/group.ts";
import type { SortStage } from "../stage/sort.ts";
import { FragmentMemory } from "./fragment_memory.ts";
import { partedKeys } from "./parted_keys.ts";

const FIELDS = { timeField: "t", metaField: "m" };
const HOUR_MS = 3_600_000;
const doc = (record: Readonly<Record<string, Value>>) => BuiltDocument.of(record);
const PAUSE = () => Promise.resolve();

/** The keys of a group by `id`, each hour a span. */
function keysOf(id: Value) {
  const group = parsePipeline([doc({ $group: doc({ _id: id }) })]).stages[0] as GroupStage;
  const grid = { window: { unit: "hour", count: 1 }, offset: undefined } as const;
  return partedKeys(group, {
    splits: [{ kind: "grid", grid: { ...grid, timezone: undefined, startOfWeek: undefined } }],
    measured: [],
    places: [],
    fields: FIELDS,
    variables: new Map(),
    stateBytes: 64,
    memory: new FragmentMemory(undefined),
    isInTimeOrder: false,
  });
}

function columnOf(ofSeries: readonly Value[]): MetaColumn {
  const values: Value[] = [];
  const numbers = Int32Array.from(ofSeries, (value) => {
    const known = values.indexOf(value);
    return known < 0 ? values.push(value) - 1 : known;
  });
  return { numbers, values, ranks: undefined };
}

/** The _ids of groups that series with these metas and hours make, in the order of a sort; undefined where it has none. */
async function sortedIds(
  id: Value,
  metas: readonly Value[],
  hours: number,
  sort: Document,
  limit = Infinity,
  hasColumns = false,
): Promise<readonly string[] | undefined> {
  const keys = keysOf(id)!;
  if (hasColumns) keys.useColumns!(keys.metaPaths!.map(({ read }) => columnOf(metas.map(read))));
  const groups = new Map<string, number>();
  for (const [series, meta] of metas.entries()) {
    const seriesClass = keys.classOf(meta, series);
    for (let span = 0; span < hours; span++) {
      const pair = `${seriesClass},${keys.spanClassOf(span, span * HOUR_MS)}`;
      if (!groups.has(pair)) groups.set(pair, keys.groupOf(seriesClass, span, meta, span * HOUR_MS));
    }
  }
  const { parts } = parsePipeline([doc({ $sort: sort })]).stages[0] as SortStage;
  const order = await keys.sorted!(parts, limit, PAUSE);
  return order && Array.from(order, (group) => textOf(keys.idOf(group)));
}

function textOf(value: Value): string {
  return encodeDocument(doc({ value })).toHex();
}

const HOST_AND_HOUR = { host: "$m.host", hour: doc({ $hour: "$t" }) };
const hosts = (...names: readonly string[]) => names.map((host) => doc({ host }));

Deno.test("groups sort by parts of their _ids, the last part first", async () => {
  const ids = await sortedIds(
    doc(HOST_AND_HOUR),
    hosts("b", "a", "b"),
    2,
    doc({ "_id.hour": -1, "_id.host": 1 }),
  );
  const expected = [["a", 1], ["b", 1], ["a", 0], ["b", 0]] as const;
  deepStrictEqual(ids, expected.map(([host, hour]) => textOf(doc({ host, hour: Int32.of(hour) }))));
  const first = await sortedIds(doc(HOST_AND_HOUR), hosts("b", "a"), 2, doc({ _id: 1 }), 1);
  deepStrictEqual(first, [textOf(doc({ host: "a", hour: Int32.of(0) }))]);
});

Deno.test("a missing part sorts with null, behind and before as it was met", async () => {
  const metas = [doc({ rank: null, host: "a" }), doc({ host: "a" }), doc({ rank: null, host: "b" })];
  const ids = await sortedIds(doc({ rank: "$m.rank", host: "$m.host" }), metas, 1, doc({ "_id.rank": 1 }));
  deepStrictEqual(ids, metas.map((meta) => textOf(meta)));
});

Deno.test("of values that are equal but not the same each group has the one that it met first", async () => {
  const metas = [doc({ n: 1 }), doc({ n: Int32.of(1) })];
  deepStrictEqual(await sortedIds("$m.n", metas, 1, doc({ _id: 1 })), [textOf(1)]);
  deepStrictEqual(await sortedIds("$m.n", metas.toReversed(), 1, doc({ _id: 1 })), [textOf(Int32.of(1))]);
});

Deno.test("arrays, which count by their elements, are left to the documents", async () => {
  const metas = [doc({ tags: [2, 0] }), doc({ tags: 1 })];
  strictEqual(await sortedIds(doc({ tags: "$m.tags" }), metas, 1, doc({ "_id.tags": 1 })), undefined);
  deepStrictEqual((await sortedIds("$m.tags", metas, 1, doc({ _id: 1 })))?.length, 2);
});

Deno.test("an _id with a part of neither series nor time alone has no parts", () => {
  strictEqual(keysOf(doc({ $concat: ["$m.host", "x"] })), undefined);
  strictEqual(
    keysOf(doc({ $cond: [doc({ $lt: ["$t", new UtcDate(0)] }), "$m.host", "late"] })),
    undefined,
  );
});

Deno.test("columns of metas give the groups that the metas give", async () => {
  const values = ["b", null, "a", undefined, "b", 7, "", null, "a", true];
  const metas = values.map((a, i) => doc({ ...(a !== undefined && { a }), ...(i % 3 > 0 && { b: "x" }) }));
  for (const id of ["$m.a", doc({ a: "$m.a" }), doc({ a: "$m.a", b: "$m.b" }), doc({ a: "$m.a", t: "$t" })]) {
    for (const sort of [doc({ "_id.a": 1 }), doc({ _id: -1 })]) {
      for (const [some, limit] of [[metas, Infinity], [metas.slice(0, 2), 3]] as const) {
        const ids = await sortedIds(id, some, 2, sort, limit);
        deepStrictEqual(await sortedIds(id, some, 2, sort, limit, true), ids);
      }
    }
  }
});
