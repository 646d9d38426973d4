/** Cursors that follow a capped collection and wait, against a real node. */
import assert from "node:assert/strict";
import { startServerProcess } from "../support/server_process.ts";
import { type Document, WireClient } from "../support/wire_client.ts";

const FOREVER_MS = 60_000;

async function withTail(
  test: (context: {
    readonly writer: WireClient;
    readonly client: WireClient;
    /** Asks for the next batch. */
    readonly more: (options?: Document) => Promise<Document>;
    readonly cursorId: unknown;
  }) => Promise<void>,
): Promise<void> {
  await using server = await startServerProcess();
  const writer = await WireClient.connect(server.port);
  const client = await WireClient.connect(server.port);
  try {
    await writer.must({ create: "c", capped: true, size: 4096, $db: "d" });
    await writer.must({ insert: "c", documents: [{ _id: 1 }], $db: "d" });
    const { cursor } = await client.must({ find: "c", tailable: true, awaitData: true, $db: "d" });
    const cursorId = cursor.id;
    const more = (options: Document = {}) =>
      client.command({ getMore: cursorId, collection: "c", maxTimeMS: FOREVER_MS, ...options, $db: "d" });
    await test({ writer, client, more, cursorId });
  } finally {
    writer.close();
    client.close();
  }
}

Deno.test("a getMore waits until there is a document that matches, and for no longer", async () => {
  await withTail(async ({ writer, more }) => {
    const batch = more();
    await writer.must({ insert: "other", documents: [{ _id: 1 }], $db: "d" });
    await writer.must({ insert: "c", documents: [{ _id: 2 }, { _id: 3 }], $db: "d" });
    const { cursor } = await batch;
    assert.deepEqual(cursor.nextBatch.map(({ _id }: Document) => Number(_id)), [2, 3]);
    const empty = await more({ maxTimeMS: 20 });
    assert.deepEqual(empty["cursor"].nextBatch, []);
    assert.deepEqual(empty["cursor"].id, cursor.id);
  });
});

Deno.test("a kill of the cursor ends the wait, and so does the end of the collection", async () => {
  await withTail(async ({ writer, more, cursorId }) => {
    const waiting = more();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await writer.must({ killCursors: "c", cursors: [cursorId], $db: "d" });
    assert.equal(Number((await waiting)["code"]), 237);
  });
  await withTail(async ({ writer, more }) => {
    const waiting = more();
    await new Promise((resolve) => setTimeout(resolve, 50));
    await writer.must({ drop: "c", $db: "d" });
    assert.equal(Number((await waiting)["code"]), 175);
  });
});
