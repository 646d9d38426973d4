import assert from "node:assert/strict";
import { encodeDocument, RawDocument } from "../../bson/mod.ts";
import { ArraySource } from "../array_source.ts";
import { documentOf, plainOf, type PlainRecord, testContext } from "../test_collection.ts";
import { execute } from "../execute.ts";
import { parsePipeline } from "../parse.ts";
import { collectRows } from "../rows.ts";

/** 60 documents of 1 MB, which all are one in memory. */
const LARGE = new RawDocument(encodeDocument(documentOf({ v: "x".repeat(1 << 20) })).slice());
const SOURCE = new ArraySource(Array.from({ length: 60 }, () => LARGE));

/** How many rows each of two facets has. */
async function facets(facet: PlainRecord): Promise<unknown[]> {
  const stages = [{ $facet: facet }, { $project: { a: { $size: "$a" }, b: { $size: "$b" } } }];
  const rows = execute(parsePipeline(stages.map(documentOf)), SOURCE, testContext());
  return (await collectRows(rows)).map(plainOf);
}

Deno.test("all facets together make a document of 100 MB at most", async () => {
  assert.deepEqual(await facets({ a: [], b: [{ $limit: 30 }] }), [{ a: 60, b: 30 }]);
  await assert.rejects(facets({ a: [], b: [] }), {
    code: 4031700,
    message: /document constructed by \$facet is \d+ bytes, which exceeds the limit of 104857600 bytes$/,
  });
});
