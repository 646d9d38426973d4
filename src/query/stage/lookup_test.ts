import assert from "node:assert/strict";
import { encodeDocument, RawDocument } from "../../bson/mod.ts";
import { ArraySource } from "../array_source.ts";
import { NO_COLLECTIONS } from "../collections.ts";
import { execute } from "../execute.ts";
import { parsePipeline } from "../parse.ts";
import { collectRows } from "../rows.ts";
import { documentOf, plainOf, type PlainRecord, testContext } from "../test_collection.ts";

/** 110 documents of 1 MB, which all are one in memory. */
const LARGE = new RawDocument(encodeDocument(documentOf({ k: 1, v: "x".repeat(1 << 20) })).slice());
const FOREIGN = new ArraySource(Array.from({ length: 110 }, () => LARGE));

function run(stages: readonly PlainRecord[]): Promise<unknown[]> {
  const collections = { ...NO_COLLECTIONS, open: () => ({ source: FOREIGN, stages: [] }) };
  const source = new ArraySource([documentOf({ _id: 1, k: 1 }), documentOf({ _id: 2, k: 2 })]);
  const rows = execute(parsePipeline(stages.map(documentOf)), source, { ...testContext(), collections });
  return collectRows(rows).then((all) => all.map(plainOf));
}

const BY = { localField: "k", foreignField: "k" };
const LOOKUPS: Readonly<Record<string, PlainRecord>> = {
  "by equality": { from: "f", ...BY, as: "o" },
  "by equality and a pipeline": { from: "f", ...BY, pipeline: [{ $match: { k: { $gte: 0 } } }], as: "o" },
  "by a pipeline": { from: "f", pipeline: [], as: "o" },
  "by a pipeline of the row": {
    from: "f",
    let: { k: "$k" },
    pipeline: [{ $match: { $expr: { $eq: ["$k", "$$k"] } } }],
    as: "o",
  },
};

for (const [name, lookup] of Object.entries(LOOKUPS)) {
  Deno.test(`what is found ${name} may be of any size where it is unwound`, async () => {
    const stages = [
      { $lookup: lookup },
      { $unwind: { path: "$o", preserveNullAndEmptyArrays: true, includeArrayIndex: "i" } },
      { $group: { _id: "$_id", rows: { $sum: 1 }, k: { $max: "$o.k" }, last: { $max: "$i" } } },
    ];
    const all = { rows: 110, k: 1, last: 109n };
    const none = { rows: 1, k: null, last: null };
    assert.deepEqual(await run(stages), [
      { _id: 1, ...all },
      { _id: 2, ...(name === "by a pipeline" ? all : none) },
    ]);
  });

  Deno.test(`what is found ${name} is at most 100 MB in an array`, async () => {
    await assert.rejects(run([{ $lookup: lookup }]), {
      code: 4568,
      message:
        "PlanExecutor error during aggregation :: caused by :: Total size of documents in f matching pipeline's $lookup " +
        "stage exceeds 104857600 bytes",
    });
  });
}
