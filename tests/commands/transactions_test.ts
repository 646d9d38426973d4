/** How transactions end that nobody ends: by their time, with their session; and what waits for them meanwhile. */
import assert from "node:assert/strict";
import { Binary, Long } from "bson";
import { startServerProcess } from "../support/server_process.ts";
import { type Document, WireClient } from "../support/wire_client.ts";

const DB = "ends";

function inTransaction(session: number, command: Document, starts = false): Document {
  const lsid = { id: new Binary(new Uint8Array(16).fill(session), 4) };
  const start = starts ? { startTransaction: true } : {};
  return { ...command, lsid, txnNumber: Long.fromNumber(1), autocommit: false, ...start };
}

/** A server with a document, and a transaction of session 1 that has changed it. */
async function withOpenTransaction(
  body: (client: WireClient, other: WireClient) => Promise<void>,
  lifetimeSeconds = 60,
): Promise<void> {
  await using server = await startServerProcess();
  const client = await WireClient.connect(server.port);
  const other = await WireClient.connect(server.port);
  await client.must({ setParameter: 1, transactionLifetimeLimitSeconds: lifetimeSeconds });
  await client.must({ insert: "c", documents: [{ _id: 1, n: 0 }], $db: DB });
  await client.must(inTransaction(1, { ...increment(100), $db: DB }, true));
  await body(client, other);
  client.close();
  other.close();
}

function increment(by: number): Document {
  return { update: "c", updates: [{ q: { _id: 1 }, u: { $inc: { n: by } } }] };
}

async function numberIn(client: WireClient): Promise<number> {
  return Number((await client.documents({ find: "c", $db: DB }))[0]?.["n"]);
}

Deno.test("a transaction that takes too long ends, and a write that waited for it goes on", async () => {
  await withOpenTransaction(async (client, other) => {
    await other.must({ ...increment(1), $db: DB });
    assert.equal(await numberIn(client), 1);
    const reply = await client.command(inTransaction(1, { commitTransaction: 1, $db: "admin" }));
    assert.deepEqual([reply["codeName"], reply["errorLabels"]], ["NoSuchTransaction", [
      "TransientTransactionError",
    ]]);
  }, 1);
});

Deno.test("a transaction ends with its session", async () => {
  await withOpenTransaction(async (client, other) => {
    const waiting = other.must({ ...increment(1), $db: DB });
    await client.must({ endSessions: [{ id: new Binary(new Uint8Array(16).fill(1), 4) }] });
    await waiting;
    assert.equal(await numberIn(client), 1);
  });
});

Deno.test("a write that waits for a transaction keeps to its own time", async () => {
  await withOpenTransaction(async (client, other) => {
    const reply = await other.command({ ...increment(1), maxTimeMS: 100, $db: DB });
    assert.equal(reply["codeName"], "MaxTimeMSExpired", JSON.stringify(reply));
    await client.must(inTransaction(1, { commitTransaction: 1, $db: "admin" }));
    assert.equal(await numberIn(client), 100);
    await other.must({ ...increment(1), $db: DB });
    assert.equal(await numberIn(client), 101);
  });
});
