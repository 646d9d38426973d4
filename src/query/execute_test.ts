import { deepStrictEqual, notDeepStrictEqual, rejects, strictEqual, throws } from "node:assert/strict";
import { CommandError } from "../base/mod.ts";
import { collationOfOptions, type Document, Int32 } from "../bson/mod.ts";
import { ArraySource } from "./array_source.ts";
import { execute } from "./execute.ts";
import { EMPTY_PARSE_CONTEXT, parseCountCommand, parseFind, parsePipeline } from "./parse.ts";
import { readCount } from "./count_result.ts";
import { collectRows } from "./rows.ts";
import type { Rows, Source } from "./source.ts";
import { documentOf, plainOf, type PlainRecord, testContext } from "./test_collection.ts";

const BATCHES = 50;
const BATCH_ROWS = 100;

/** Rows `{v}` that count up, and a note of how far they were read and whether the scan was ended. */
class CountingSource implements Source {
  readonly shape = { kind: "documents" } as const;
  batches = 0;
  ended = false;

  constructor(private readonly rowOf: (v: number) => Document = (v) => documentOf({ v })) {}

  async *scan(): Rows {
    try {
      for (let i = 0; i < BATCHES; i++) {
        this.batches++;
        yield Array.from({ length: BATCH_ROWS }, (_, j) => this.rowOf(i * BATCH_ROWS + j));
        await Promise.resolve();
      }
    } finally {
      this.ended = true;
    }
  }
}

function pipelineOf(...stages: readonly PlainRecord[]) {
  return parsePipeline(stages.map(documentOf));
}

Deno.test("a limit ends the scan as soon as its rows are there", async () => {
  const source = new CountingSource();
  const rows = await collectRows(
    execute(pipelineOf({ $match: { v: { $gte: 150 } } }, { $limit: 3 }), source, testContext()),
  );
  deepStrictEqual(rows.map(plainOf), [{ v: 150 }, { v: 151 }, { v: 152 }]);
  strictEqual(source.batches, 2);
  strictEqual(source.ended, true);
});

Deno.test("ending the rows early ends the scan behind several stages", async () => {
  const source = new CountingSource();
  const rows = execute(pipelineOf({ $addFields: { w: "$v" } }, { $skip: 1 }), source, testContext());
  await rows.next();
  await rows.return();
  strictEqual(source.ended, true);
  strictEqual(source.batches, 1);
});

Deno.test("a sort by chance gives all rows, in another order each time", async () => {
  const sorted = async () => {
    const pipeline = pipelineOf({ $sort: { x: { $meta: "randVal" } } });
    const rows = await collectRows(execute(pipeline, new CountingSource(), testContext()));
    return rows.map((row) => (plainOf(row) as { v: number }).v);
  };
  const [first, second] = [await sorted(), await sorted()];
  deepStrictEqual(first.toSorted((a, b) => a - b), Array.from({ length: BATCHES * BATCH_ROWS }, (_, v) => v));
  notDeepStrictEqual(first, second);
});

Deno.test("nothing is read before rows are asked for", () => {
  const source = new CountingSource();
  execute(pipelineOf({ $sort: { v: 1 } }), source, testContext());
  strictEqual(source.batches, 0);
});

Deno.test("a sort with a limit gives what the whole sort would begin with, ties in order of arrival", async () => {
  const source = () => new CountingSource((v) => documentOf({ k: (v * 7919) % 97, v }));
  const whole = await collectRows(execute(pipelineOf({ $sort: { k: -1 } }), source(), testContext()));
  const top = await collectRows(
    execute(pipelineOf({ $sort: { k: -1 } }, { $skip: 20 }, { $limit: 30 }), source(), testContext()),
  );
  deepStrictEqual(top.map(plainOf), whole.slice(20, 50).map(plainOf));
});

Deno.test("find without projection passes documents through untouched", async () => {
  const row = documentOf({ a: 1 });
  const source = new CountingSource(() => row);
  const [first] = await collectRows(execute(parseFind({ limit: 1 }), source, testContext()));
  strictEqual(first, row);
});

Deno.test("a blocking stage that holds over 100 MB fails as MongoDB does", async () => {
  const text = "x".repeat(64 * 1024);
  const big = () => new CountingSource((v) => documentOf({ v, text: `${v}${text}` }));
  const cases: readonly PlainRecord[] = [
    { $sort: { v: 1 } },
    { $group: { _id: "$v", all: { $push: "$text" } } },
    { $group: { _id: "$text" } },
    { $timeWindow: { timestamp: "$now", window: "1d", output: { all: { $push: "$text" } } } },
  ];
  for (const stage of cases) {
    const rows = execute(
      pipelineOf({ $addFields: { now: "$$NOW" } }, stage),
      big(),
      testContext(),
    );
    await rejects(
      collectRows(rows),
      (error: CommandError) => error.code === 292 && /allowDiskUse|external sorting/.test(error.message),
      JSON.stringify(stage),
    );
  }
});

Deno.test("a sort with a small limit never holds that much", async () => {
  const text = "x".repeat(64 * 1024);
  const source = new CountingSource((v) => documentOf({ v, text: `${v}${text}` }));
  const rows = await collectRows(
    execute(pipelineOf({ $sort: { v: -1 } }, { $limit: 2 }, { $project: { v: 1 } }), source, testContext()),
  );
  deepStrictEqual(rows.map(plainOf), [{ v: 4999 }, { v: 4998 }]);
});

Deno.test("being killed ends a query with the killer's own error", async () => {
  for (
    const stage of [{ $match: { v: -1 } }, { $sort: { v: 1 } }, { $group: { _id: "$v" } }, { $count: "n" }]
  ) {
    let checks = 0;
    const checkpoint = () => {
      if (++checks > 3) return Promise.reject(new CommandError("Interrupted", "operation was interrupted"));
      return Promise.resolve();
    };
    const source = new CountingSource();
    const rows = execute(pipelineOf(stage), source, { ...testContext(), checkpoint });
    await rejects(collectRows(rows), {
      code: 11601,
      message: "PlanExecutor error during aggregation :: caused by :: operation was interrupted",
    });
    strictEqual(source.ended, true);
  }
});

Deno.test("errors say where they happened", async () => {
  const divide = { $divide: [1, { $subtract: ["$v", 1] }] };
  const run = (pipeline: ReturnType<typeof pipelineOf>) =>
    collectRows(execute(pipeline, new CountingSource(), testContext()));
  await rejects(run(pipelineOf({ $project: { x: divide } })), {
    code: 2,
    message: "PlanExecutor error during aggregation :: caused by :: can't $divide by zero",
  });
  await rejects(run(parseFind({ projection: documentOf({ x: divide }) })), {
    message: "Executor error during find command :: caused by :: can't $divide by zero",
  });
  throws(
    () => execute(pipelineOf({ $project: { x: { $divide: [1, 0] } } }), new CountingSource(), testContext()),
    { message: "Failed to optimize pipeline :: caused by :: can't $divide by zero" },
  );
});

Deno.test("an empty source gives what MongoDB gives for a collection that is not there", async () => {
  const empty: Source = {
    shape: { kind: "empty" },
    scan: () => {
      throw new Error("an empty source is not scanned");
    },
  };
  const run = (...stages: readonly PlainRecord[]) =>
    collectRows(execute(pipelineOf(...stages), empty, testContext()));
  deepStrictEqual(await run({ $match: { a: 1 } }), []);
  deepStrictEqual(await run({ $group: { _id: null, n: { $sum: 1 } } }), []);
  deepStrictEqual((await run({ $facet: { a: [{ $count: "n" }] } })).map(plainOf), [{ a: [] }]);
});

Deno.test("a count is an int32, and zero when nothing matches", async () => {
  const count = (spec: PlainRecord, limit?: number, skip?: number) =>
    readCount(
      execute(
        parseCountCommand({ query: documentOf(spec), limit, skip }),
        new CountingSource(),
        testContext(),
      ),
    );
  deepStrictEqual(await count({}), Int32.of(5000));
  deepStrictEqual(await count({ v: { $lt: 10 } }, 7, 5), Int32.of(5));
  deepStrictEqual(await count({ v: -1 }), Int32.of(0));
});

Deno.test("a sort key under a collation is the text, where MongoDB has the bytes that ICU compares", async () => {
  const collation = collationOfOptions(documentOf({ collation: { locale: "en", strength: 2 } }))!;
  const find = parseFind(
    { sort: documentOf({ b: 1 }), projection: documentOf({ _id: 1, k: { $meta: "sortKey" } }) },
    { ...EMPTY_PARSE_CONTEXT, collation },
  );
  const source = new ArraySource(["b", "B", "a"].map((b, i) => documentOf({ _id: i, b })));
  deepStrictEqual((await collectRows(execute(find, source, testContext()))).map(plainOf), [
    { _id: 2, k: ["a"] },
    { _id: 0, k: ["b"] },
    { _id: 1, k: ["B"] },
  ]);
});
