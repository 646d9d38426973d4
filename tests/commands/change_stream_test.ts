/** How long the cursors of change streams wait, what ends their waiting, and what is told of them. */
import assert from "node:assert/strict";
import { openServer } from "../../src/cli/embed.ts";
import { type Document, WireClient } from "../support/wire_client.ts";

/** Longer than any test runs: whoever waits for it is ended otherwise. */
const FOREVER_MS = 3_600_000;

interface Followed {
  readonly client: WireClient;
  readonly other: WireClient;
  /** Asks for the next batch, waiting as long as that. */
  readonly getMore: (maxTimeMS: number) => Promise<Document>;
  readonly cursorId: unknown;
  readonly stop: () => Promise<void>;
}

/** Runs `body` with a stream on `d.c` that has told all there is. */
async function withStream(body: (followed: Followed) => Promise<void>): Promise<void> {
  const dataDir = await Deno.makeTempDir({ prefix: "chronogo-stream-" });
  const server = await openServer({ dataDir: `${dataDir}/data` });
  const port = Number(new URL(server.uri).port);
  const [client, other] = [await WireClient.connect(port), await WireClient.connect(port)];
  let stopped: Promise<void> | undefined;
  const stop = () => stopped ??= server.close();
  try {
    const reply = await client.must({
      aggregate: "c",
      pipeline: [{ $changeStream: {} }],
      cursor: {},
      $db: "d",
    });
    const cursorId = reply["cursor"]["id"];
    const getMore = (maxTimeMS: number) => {
      return client.command({ getMore: cursorId, collection: "c", maxTimeMS, $db: "d" });
    };
    await body({ client, other, getMore, cursorId, stop });
  } finally {
    client.close();
    other.close();
    await stop();
    await Deno.remove(dataDir, { recursive: true });
  }
}

const untilItWaits = () => new Promise((resolve) => setTimeout(resolve, 200));

Deno.test("a getMore that waits is answered when something comes, not before", async () => {
  await withStream(async ({ other, getMore }) => {
    const empty = await getMore(50);
    assert.deepEqual(empty["cursor"]["nextBatch"], []);
    const waiting = getMore(FOREVER_MS);
    await untilItWaits();
    await other.must({ insert: "elsewhere", documents: [{ _id: 1 }], $db: "d" });
    await other.must({ insert: "c", documents: [{ _id: 2 }], $db: "d" });
    const { cursor } = await waiting;
    assert.deepEqual(cursor["nextBatch"].map(({ documentKey }: Document) => Number(documentKey["_id"])), [2]);
  });
});

Deno.test("the place of a stream for which nothing comes moves on with what others write", async () => {
  await withStream(async ({ other, getMore, client }) => {
    const tokenOf = (reply: Document) => reply["cursor"]["postBatchResumeToken"]["_data"] as string;
    const before = tokenOf(await getMore(0));
    await other.must({ insert: "elsewhere", documents: [{ _id: 1 }], $db: "d" });
    const after = tokenOf(await getMore(0));
    assert.ok(after > before, `${before} < ${after}`);
    const resumed = await client.must({
      aggregate: "elsewhere",
      pipeline: [{ $changeStream: { resumeAfter: { _data: after } } }],
      cursor: {},
      $db: "d",
    });
    assert.deepEqual(resumed["cursor"]["firstBatch"], []);
  });
});

Deno.test("killing the cursor ends the waiting", async () => {
  await withStream(async ({ other, getMore, cursorId }) => {
    const waiting = getMore(FOREVER_MS);
    await untilItWaits();
    const killed = await other.must({ killCursors: "c", cursors: [cursorId], $db: "d" });
    assert.deepEqual(killed["cursorsKilled"], [cursorId]);
    assert.equal((await waiting)["codeName"], "CursorKilled");
    assert.equal((await getMore(0))["codeName"], "CursorNotFound");
  });
});

Deno.test("a server that stops answers what waits", async () => {
  await withStream(async ({ getMore, stop }) => {
    const waiting = getMore(FOREVER_MS);
    await untilItWaits();
    const stopped = stop();
    const reply = await waiting;
    assert.deepEqual(reply["cursor"]["nextBatch"], []);
    await stopped;
  });
});

Deno.test("an event that is too large for a document is an error, and the ones before it are told", async () => {
  await withStream(async ({ client, other }) => {
    const $db = "d";
    await other.must({ create: "images", changeStreamPreAndPostImages: { enabled: true }, $db });
    const images = { fullDocument: "required", fullDocumentBeforeChange: "required" };
    const { cursor } = await client.must({
      aggregate: "images",
      pipeline: [{ $changeStream: images }],
      cursor: {},
      $db,
    });
    await other.must({ insert: "images", documents: [{ _id: 1, a: "x".repeat(10 << 20) }], $db });
    await other.must({ update: "images", updates: [{ q: { _id: 1 }, u: { $set: { b: 1 } } }], $db });
    const next = () =>
      client.command({ getMore: cursor["id"], collection: "images", maxTimeMS: FOREVER_MS, $db });
    const first = await next();
    assert.deepEqual(first["cursor"].nextBatch.map(({ operationType }: Document) => operationType), [
      "insert",
    ]);
    assert.equal((await next())["codeName"], "BSONObjectTooLarge");
  });
});

Deno.test("explain of a stream shows its stages, and refuses what the stream would", async () => {
  await withStream(async ({ client }) => {
    const pipeline = [{ $changeStream: { fullDocument: "updateLookup" } }, {
      $match: { operationType: "insert" },
    }];
    const aggregate = { aggregate: "c", pipeline, cursor: {} };
    for (
      const asked of [{ ...aggregate, explain: true }, { explain: aggregate, verbosity: "executionStats" }]
    ) {
      const { ok, explainVersion, stages } = await client.command({ ...asked, $db: "d" });
      assert.deepEqual({ ok: Number(ok), explainVersion, stages }, {
        ok: 1,
        explainVersion: "1",
        stages: pipeline,
      });
    }
    const refused = { aggregate: "c", pipeline: [{ $changeStream: {} }, { $limit: 1 }], cursor: {} };
    assert.equal((await client.command({ explain: refused, $db: "d" }))["codeName"], "IllegalOperation");
  });
});
