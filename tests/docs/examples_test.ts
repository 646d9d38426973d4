/**
 * The examples of docs/stages/: a page's `db.x.insertMany([…])` are the documents, each `db.x.aggregate([…])` with an array
 * behind it must give that array. They are JavaScript as mongosh takes it.
 */
import { deepStrictEqual } from "node:assert/strict";
import type { Document } from "../../src/bson/mod.ts";
import { NO_COLLECTIONS } from "../../src/query/collections.ts";
import { ArraySource, collectRows, execute, parsePipeline } from "../../src/query/mod.ts";
import { documentOf, plainOf, type PlainRecord, testContext } from "../../src/query/test_collection.ts";

const PAGES = new URL("../../docs/stages/", import.meta.url);

type Call =
  | { readonly kind: "insert"; readonly collection: string; readonly documents: readonly PlainRecord[] }
  | { readonly kind: "aggregate"; readonly collection: string; readonly pipeline: readonly PlainRecord[] };

/** What a block of code stands for: a call, or the array that the call before it gives. */
function readBlock(code: string): Call | readonly PlainRecord[] {
  const db = new Proxy({}, {
    get: (_, collection: string) => ({
      insertMany: (documents: readonly PlainRecord[]): Call => ({ kind: "insert", collection, documents }),
      aggregate: (pipeline: readonly PlainRecord[]): Call => ({ kind: "aggregate", collection, pipeline }),
    }),
  });
  const isoDate = (text: string) => new Date(text);
  const run = new Function("db", "ISODate", `return ${code.trimStart()}`);
  return run(db, isoDate) as Call | readonly PlainRecord[];
}

for (const { name } of [...Deno.readDirSync(PAGES)].sort((a, b) => a.name < b.name ? -1 : 1)) {
  Deno.test(`the examples of docs/stages/${name} give what the page says`, async () => {
    const text = Deno.readTextFileSync(new URL(name, PAGES));
    const blocks = [...text.matchAll(/```js\n([\s\S]*?)```/g)].map((match) => readBlock(match[1]!));
    const collections = new Map<string, Document[]>();
    let results: Document[] | undefined;
    let compared = 0;
    for (const block of blocks) {
      if (!("kind" in block)) {
        deepStrictEqual(results?.map(plainOf), block.map((each) => plainOf(documentOf(each))));
        compared++;
      } else if (block.kind === "insert") {
        collections.set(block.collection, block.documents.map(documentOf));
      } else {
        const open = (collection: string) => sourceOf(collections.get(collection) ?? []);
        const source = open(block.collection);
        const pipeline = parsePipeline(block.pipeline.map(documentOf));
        const context = {
          ...testContext(),
          collections: {
            ...NO_COLLECTIONS,
            open: ({ collection }: { collection: string }) => ({ source: open(collection), stages: [] }),
          },
        };
        results = await collectRows(execute(pipeline, source, context));
      }
    }
    deepStrictEqual(compared > 0, true, "the page has an example with its result");
  });
}

/** Documents with a `timestamp` are measurements, tagged by `tags`. */
function sourceOf(documents: readonly Document[]): ArraySource {
  const isTimeseries = documents.every((document) => document.has("timestamp"));
  if (!isTimeseries) return new ArraySource(documents);
  return new ArraySource(documents, { kind: "timeseries", timeField: "timestamp", metaField: "tags" });
}
