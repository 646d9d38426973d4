/** `$changeStreamSplitLargeEvent`: events beyond 16 MB come in fragments, and a stream goes on behind any of them. */
import assert from "node:assert/strict";
import { startServerProcess } from "../support/server_process.ts";
import { CommandFailure, type Document, WireClient } from "../support/wire_client.ts";

const DB = "large";
const LARGE = "x".repeat(9 * 1024 * 1024);
const IMAGES = { fullDocument: "required", fullDocumentBeforeChange: "required" };
const SPLIT = { $changeStreamSplitLargeEvent: {} };

/** The documents of a stream's next answer that has any. */
async function next(client: WireClient, cursor: Document): Promise<Document[]> {
  for (;;) {
    const getMore = { getMore: cursor["id"], collection: "c", maxTimeMS: 1000, $db: DB };
    const { nextBatch } = (await client.must(getMore))["cursor"];
    if (nextBatch.length > 0) return nextBatch;
  }
}

async function withLargeUpdate(
  body: (
    client: WireClient,
    watch: (options: Document, ...behind: Document[]) => Promise<Document>,
  ) => Promise<void>,
): Promise<void> {
  await using server = await startServerProcess();
  const client = await WireClient.connect(server.port);
  await client.must({ create: "c", changeStreamPreAndPostImages: { enabled: true }, $db: DB });
  await client.must({ insert: "c", documents: [{ _id: 1, text: LARGE }], $db: DB });
  const watch = async (options: Document, ...behind: Document[]) => {
    const pipeline = [{ $changeStream: { ...IMAGES, ...options } }, ...behind];
    return (await client.must({ aggregate: "c", pipeline, cursor: {}, $db: DB }))["cursor"];
  };
  await body(client, watch);
  client.close();
}

async function update(client: WireClient): Promise<void> {
  await client.must({ update: "c", updates: [{ q: { _id: 1 }, u: { $set: { small: 1 } } }], $db: DB });
}

function shown({ splitEvent, ...fields }: Document): unknown {
  const names = Object.keys(fields);
  return splitEvent === undefined
    ? names
    : [`${splitEvent.fragment} of ${splitEvent.of}`, ...names.filter((name) => name !== "_id")];
}

Deno.test("a large event comes in fragments, the small fields first, and is whole when they are put together", async () => {
  await withLargeUpdate(async (client, watch) => {
    const cursor = await watch({}, SPLIT);
    await update(client);
    await client.must({ insert: "c", documents: [{ _id: 2 }], $db: DB });
    const events: Document[] = [];
    while (events.length < 3) events.push(...await next(client, cursor));
    const [first, second, third] = events as [Document, Document, Document];
    assert.deepEqual([first, second].map(shown), [
      [
        "1 of 2",
        "wallTime",
        "clusterTime",
        "operationType",
        "documentKey",
        "ns",
        "updateDescription",
        "fullDocument",
      ],
      ["2 of 2", "fullDocumentBeforeChange"],
    ]);
    assert.equal(second["fullDocumentBeforeChange"].text.length, LARGE.length);
    assert.deepEqual([first["fullDocument"].text.length, Number(first["fullDocument"].small)], [
      LARGE.length,
      1,
    ]);
    assert.equal(third["operationType"], "insert");
    assert.ok(first["_id"]._data < second["_id"]._data && second["_id"]._data < third["_id"]._data);
    for (const option of ["resumeAfter", "startAfter"]) {
      const behind = async (event: Document) => {
        const resumed = await watch({ [option]: event["_id"] }, SPLIT);
        const [found] = [
          ...resumed["firstBatch"],
          ...resumed["firstBatch"].length > 0 ? [] : await next(client, resumed),
        ];
        return shown(found);
      };
      assert.deepEqual(await behind(first), ["2 of 2", "fullDocumentBeforeChange"]);
      assert.deepEqual(await behind(second), shown(third));
    }
  });
});

Deno.test("what the stages leave of a large event may be small enough", async () => {
  await withLargeUpdate(async (client, watch) => {
    const cursor = await watch({}, { $unset: "fullDocumentBeforeChange" }, SPLIT);
    await update(client);
    const [event] = await next(client, cursor);
    assert.equal(event!["splitEvent"], undefined);
    assert.equal(event!["fullDocument"].text.length, LARGE.length);
  });
});

Deno.test("a stream that splits no events, or others, does not go on in the middle of one", async () => {
  await withLargeUpdate(async (client, watch) => {
    const cursor = await watch({}, SPLIT);
    await update(client);
    const [first] = await next(client, cursor);
    const resumeAfter = first!["_id"];
    const failure = async (...behind: Document[]) => {
      try {
        const resumed = await watch({ resumeAfter }, ...behind);
        await next(client, resumed);
      } catch (error) {
        assert.ok(error instanceof CommandFailure, String(error));
        assert.deepEqual(error.reply["errorLabels"], ["NonResumableChangeStreamError"]);
        return `${error.reply["codeName"]}: ${error.reply["errmsg"]}`;
      }
      return "none";
    };
    assert.match(
      await failure(),
      /^ChangeStreamFatalError: .*must include a \$changeStreamSplitLargeEvent stage$/,
    );
    assert.match(
      await failure({ $unset: ["fullDocument", "fullDocumentBeforeChange"] }, SPLIT),
      /^ChangeStreamFatalError: .*was not large enough to be split$/,
    );
  });
});

Deno.test("the stage stands last, says nothing, and in change streams only", async () => {
  await using server = await startServerProcess();
  const client = await WireClient.connect(server.port);
  const codes = [];
  for (
    const pipeline of [
      [{ $changeStream: {} }, SPLIT, { $match: {} }],
      [{ $changeStream: {} }, SPLIT, SPLIT],
      [{ $changeStream: {} }, { $changeStreamSplitLargeEvent: { a: 1 } }],
      [{ $changeStream: {} }, { $changeStreamSplitLargeEvent: 1 }],
      [SPLIT],
      [{ $match: {} }, SPLIT],
    ]
  ) codes.push(Number((await client.command({ aggregate: "c", pipeline, cursor: {}, $db: DB }))["code"]));
  assert.deepEqual(codes, [7182802, 7182802, 7182800, 7182800, 20, 20]);
  client.close();
});
