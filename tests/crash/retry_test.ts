/**
 * A server is killed (SIGKILL) between a retryable write and its retry: the retry is answered as the write was, and nothing
 * is done twice, whether the log still holds the write or a checkpoint has let it go.
 */
import assert from "node:assert/strict";
import { Binary, EJSON, Long } from "bson";
import { startServerProcess } from "../support/server_process.ts";
import { type Document, WireClient } from "../support/wire_client.ts";

const DB = "retries";

/** Each in a session of its own, and what it shall have done. */
const WRITES: readonly Document[] = [
  { insert: "c", documents: [{ _id: 10 }, { _id: 11 }, { _id: 1 }, { _id: 12 }], ordered: false },
  {
    update: "c",
    updates: [
      { q: { _id: 1 }, u: { $inc: { n: 1 } } },
      { q: { _id: 99 }, u: { $inc: { n: 1 } }, upsert: true },
      { q: { _id: 98 }, u: { $inc: { n: 1 } } },
    ],
  },
  { delete: "c", deletes: [{ q: { _id: { $in: [2, 3] } }, limit: 1 }] },
  { findAndModify: "c", query: { _id: 4 }, update: { $inc: { n: 1 } } },
  { findAndModify: "c", query: { _id: 4 }, update: { $inc: { n: 1 } }, new: true, fields: { n: 1 } },
  { findAndModify: "c", query: { _id: 5 }, remove: true },
  {
    bulkWrite: 1,
    ops: [
      { insert: 0, document: { _id: 20 } },
      { update: 0, filter: { _id: 6 }, updateMods: { $inc: { n: 1 } } },
      { insert: 1, document: { _id: 1, t: new Date(0), m: "bulk" } },
      { delete: 0, filter: { _id: 7 } },
    ],
    nsInfo: [{ ns: `${DB}.c` }, { ns: `${DB}.weather` }],
    $db: "admin",
  },
  {
    insert: "weather",
    documents: Array.from({ length: 50 }, (_, i) => ({ _id: i, t: new Date(i * 1000), m: i % 3 })),
  },
  { update: "weather", updates: [{ q: { _id: "first" }, u: { $inc: { n: 1 } } }] },
  { findAndModify: "weather", query: { _id: "second" }, update: { $inc: { n: 1 } }, new: true },
];

function inSession(write: Document, session: number): Document {
  const lsid = { id: new Binary(new Uint8Array(16).fill(session), 4) };
  return { ...write, lsid, txnNumber: Long.fromNumber(7), $db: write["$db"] ?? DB };
}

/** A reply without what a retry adds, or the moment does; and whether it says that it was one. */
function answerOf(reply: Document): { readonly answer: string; readonly isRetry: boolean } {
  const { retriedStmtIds, retriedStmtId, $clusterTime: _time, operationTime: _operation, ...answer } = reply;
  return {
    answer: EJSON.stringify(answer, { relaxed: false }),
    isRetry: retriedStmtIds !== undefined || retriedStmtId !== undefined,
  };
}

async function contentOf(client: WireClient): Promise<string> {
  const documents = await client.documents({ find: "c", sort: { _id: 1 }, $db: DB });
  const measurements = await client.documents({ find: "weather", sort: { m: 1, t: 1, _id: 1 }, $db: DB });
  return EJSON.stringify([documents, measurements], { relaxed: false });
}

for (const isCut of [false, true]) {
  const where = isCut ? "in a checkpoint" : "in the log";
  Deno.test(`a retry after kill -9 is answered, not done again, with the write ${where}`, async () => {
    const folder = await Deno.makeTempDir({ prefix: "chronogo-retry-" });
    try {
      const first = await startServerProcess({ dataDir: folder });
      const client = await WireClient.connect(first.port);
      await client.must({ create: "weather", timeseries: { timeField: "t", metaField: "m" }, $db: DB });
      const documents = Array.from({ length: 8 }, (_, i) => ({ _id: i, n: 0 }));
      await client.must({ insert: "c", documents, $db: DB });
      const measurements = ["first", "second"].map((_id) => ({ _id, t: new Date(0), m: _id, n: 0 }));
      await client.must({ insert: "weather", documents: measurements, $db: DB });
      const answers: string[] = [];
      for (const [session, write] of WRITES.entries()) {
        const reply = await client.command(inSession(write, session));
        assert.equal(Number(reply["ok"]), 1, EJSON.stringify(reply));
        answers.push(answerOf(reply).answer);
      }
      const content = await contentOf(client);
      if (isCut) await client.must({ fsync: 1 });
      client.close();
      await first.kill9();
      await using second = await startServerProcess({ dataDir: folder });
      const again = await WireClient.connect(second.port);
      for (const [session, write] of WRITES.entries()) {
        const { answer, isRetry } = answerOf(await again.command(inSession(write, session)));
        assert.equal(answer, answers[session], EJSON.stringify(write));
        // MongoDB does not say it of inserts into time series.
        assert.equal(isRetry, write["insert"] !== "weather", EJSON.stringify(write));
      }
      assert.equal(await contentOf(again), content);
      const older = {
        ...inSession({ insert: "c", documents: [{ _id: 100 }] }, 0),
        txnNumber: Long.fromNumber(6),
      };
      assert.equal((await again.command(older))["codeName"], "TransactionTooOld");
      again.close();
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
