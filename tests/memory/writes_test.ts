/**
 * `--memory-limit` in a real process that writes many documents by one command: inserts of a whole message, updates and
 * deletes over all documents, in a plain collection, one with indexes and a time series. The peak is Linux's own figure
 * (VmHWM) since the process started.
 */
import assert from "node:assert/strict";
import { serialize } from "bson";
import { memoryOf } from "../support/process_memory.ts";
import { type ServerProcess, startServerProcess } from "../support/server_process.ts";
import { decodeReply, type Document, encodeSequence, WireClient } from "../support/wire_client.ts";

const LIMIT_BYTES = 256 * 2 ** 20;
const DB = "memory";
const COLLECTION = "many";
/** Documents of one insert, some 10 MB, and inserts. */
const INSERTED_AT_ONCE = 50_000;
const INSERTS = 3;
const DOCUMENTS = INSERTED_AT_ONCE * INSERTS;
const START_MS = Date.UTC(2024, 0, 1);

interface Kind {
  readonly name: string;
  readonly timeseries?: Document;
  readonly indexes?: readonly Document[];
}

const KINDS: readonly Kind[] = [
  { name: "a plain collection" },
  {
    name: "a plain collection with indexes",
    indexes: [{ key: { a: 1 }, name: "a_1" }, { key: { "n.x": 1, a: -1 }, name: "n.x_1_a_-1" }],
  },
  { name: "a time series", timeseries: { timeField: "t", metaField: "m" } },
];

for (const { name, timeseries, indexes } of KINDS) {
  Deno.test(`inserts, updates and deletes of all documents of ${name} stay within the limit`, async () => {
    await using server = await startServerProcess({ args: ["--memory-limit", "256MB"] });
    const client = await WireClient.connect(server.port);
    await client.must({ create: COLLECTION, ...(timeseries && { timeseries }), $db: DB });
    if (indexes !== undefined) await client.must({ createIndexes: COLLECTION, indexes, $db: DB });
    const peaks: string[] = [];
    const note = (step: string) => peaks.push(`${step} ${megabytes(memoryOf(server.pid).peakBytes)}`);
    for (let insert = 0; insert < INSERTS; insert++) await insertMany(client, insert * INSERTED_AT_ONCE);
    note("insert");
    const changed = await client.must({
      update: COLLECTION,
      updates: [{ q: {}, u: { $inc: { a: 1 }, $set: { s: "y".repeat(120) } }, multi: true }],
      $db: DB,
    });
    assert.deepEqual([Number(changed["n"]), Number(changed["nModified"])], [DOCUMENTS, DOCUMENTS]);
    note("update");
    const some = await client.must({
      delete: COLLECTION,
      deletes: [{ q: { a: { $gt: 500 } }, limit: 0 }],
      $db: DB,
    });
    assert.equal(Number(some["n"]), DOCUMENTS / 2);
    const left = await client.must({ delete: COLLECTION, deletes: [{ q: {}, limit: 0 }], $db: DB });
    assert.equal(Number(left["n"]), DOCUMENTS / 2);
    note("delete");
    client.close();
    await assertWithinLimit(server, peaks);
  });
}

async function assertWithinLimit(server: ServerProcess, peaks: readonly string[]): Promise<void> {
  const { peakBytes } = memoryOf(server.pid);
  assert.equal(await server.stop(), 0);
  const figures = `peaks in MB: ${peaks.join(", ")}`;
  console.log(figures);
  assert.ok(peakBytes <= LIMIT_BYTES, figures);
}

/** One message of documents that are numbered from `from` on; `a` goes through 0…999 again and again. */
async function insertMany(client: WireClient, from: number): Promise<void> {
  const documents = Array.from({ length: INSERTED_AT_ONCE }, (_, i) => documentOf(from + i));
  const bytes = new Uint8Array(documents.reduce((sum, document) => sum + document.length, 0));
  let at = 0;
  for (const document of documents) {
    bytes.set(document, at);
    at += document.length;
  }
  const message = encodeSequence({ insert: COLLECTION, ordered: true, $db: DB }, "documents", bytes);
  const reply = decodeReply(await client.roundTrip(message));
  assert.deepEqual([Number(reply["ok"]), Number(reply["n"])], [1, INSERTED_AT_ONCE]);
}

function documentOf(n: number): Uint8Array {
  return serialize({
    _id: n,
    t: new Date(START_MS + n * 1000),
    m: { host: `h${n % 100}` },
    a: n % 1000,
    b: n / 7,
    s: "x".repeat(100),
    n: { x: n, y: [1, 2, 3] },
  });
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 2 ** 20);
}
