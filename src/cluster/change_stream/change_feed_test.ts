/** Change streams over a node in memory: what they tell, and from where they can go on. */
import assert from "node:assert/strict";
import { type CommandError } from "../../base/mod.ts";
import { BuiltDocument, Document, Int32, isArray, Timestamp, UtcDate, type Value } from "../../bson/mod.ts";
import { MemoryDisk } from "../../io/mod.ts";
import type { Namespace } from "../catalog.ts";
import type { Node } from "../node.ts";
import {
  deleteNumbers,
  insertNumbers,
  openNode as openAny,
  PLAIN,
  renumber,
  TIMESERIES,
} from "../node_fixture.ts";
import type { ChangeEvent } from "./change_event.ts";
import type { ChangeFeed, ChangeFeedOptions } from "./change_feed.ts";
import type { Position } from "./position.ts";

const PLAIN_NAME: Namespace = { db: "d", collection: "plain" };
const SERIES_NAME: Namespace = { db: "d", collection: "series" };
const DEPLOYMENT = { kind: "deployment" } as const;

/** A node whose log keeps everything, but for tests that say otherwise. */
function openNode(disk: MemoryDisk, keptBytes = 1 << 20): Promise<Node> {
  return openAny(disk, { logRetention: { bytes: keptBytes, ms: 3_600_000 } });
}

function follow(node: Node, options: Partial<ChangeFeedOptions> = {}): ChangeFeed {
  return node.changeFeed({
    scope: DEPLOYMENT,
    showExpandedEvents: false,
    showRawUpdateDescription: false,
    fullDocument: "default",
    fullDocumentBeforeChange: "off",
    from: undefined,
    ...options,
  });
}

function readAll(feed: ChangeFeed): ChangeEvent[] {
  const events: ChangeEvent[] = [];
  for (;;) {
    const piece = feed.next();
    events.push(...piece.events);
    if (piece.isAtEnd) return events;
  }
}

/** The place behind all that a feed has read. */
function placeOf(feed: ChangeFeed): Position {
  for (;;) {
    const { isAtEnd, position } = feed.next();
    if (isAtEnd) return position;
  }
}

/** An event in a few words: `insert d.plain 1`. */
function told({ document }: ChangeEvent): string {
  const ns = document.get("ns");
  const key = document.get("documentKey");
  const id = key instanceof Document ? key.get("_id") : undefined;
  const parts = [
    document.get("operationType"),
    ns instanceof Document
      ? [ns.get("db"), ns.get("coll")].filter((part) => part !== undefined).join(".")
      : "",
    id instanceof Int32 ? id.value : "",
  ];
  return parts.filter((part) => part !== "").join(" ");
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as CommandError).codeName;
  }
  return "none";
}

Deno.test("writes to plain collections and to time series are told in order, with their documents", async () => {
  const node = await openNode(new MemoryDisk());
  await node.router.createCollection(SERIES_NAME, TIMESERIES);
  const feed = follow(node);
  await insertNumbers(node, PLAIN_NAME, [1, 2]);
  await insertNumbers(node, SERIES_NAME, [7, 8]);
  await renumber(node, PLAIN_NAME, [2], 10);
  await deleteNumbers(node, PLAIN_NAME, [1]);
  await renumber(node, SERIES_NAME, [8], 10);
  const events = readAll(feed);
  assert.deepEqual(events.map(told), [
    "insert d.plain 1",
    "insert d.plain 2",
    "insert d.series 7",
    "insert d.series 8",
    "update d.plain 2",
    "delete d.plain 1",
    "replace d.series 8",
  ]);
  const [, , series, , update] = events.map(({ document }) => document);
  const measurement = series!.get("fullDocument");
  assert.ok(measurement instanceof Document && measurement.get("t") instanceof UtcDate);
  const description = update!.get("updateDescription");
  assert.ok(description instanceof Document);
  assert.deepEqual(fields(description.get("updatedFields")), { n: new Int32(12) });
  assert.ok(update!.get("clusterTime") instanceof Timestamp);
  await node.close();
});

function fields(value: Value): Record<string, Value> {
  assert.ok(value instanceof Document);
  const values = value.values();
  return Object.fromEntries(value.names().map((name, i) => [name, values[i]]));
}

Deno.test("a stream goes on from any of its events after a restart, whatever became of the collections", async () => {
  const disk = new MemoryDisk();
  let node = await openNode(disk);
  const feed = follow(node);
  await insertNumbers(node, PLAIN_NAME, [1, 2, 3]);
  await node.router.dropCollection(PLAIN_NAME);
  await insertNumbers(node, PLAIN_NAME, [4]);
  await node.router.modifyCollection(PLAIN_NAME, (info) => info);
  await node.router.dropDatabase("d");
  await insertNumbers(node, { db: "e", collection: "x" }, [5]);
  const before = readAll(feed);
  const end = placeOf(feed);
  assert.deepEqual(before.map(told), [
    "insert d.plain 1",
    "insert d.plain 2",
    "insert d.plain 3",
    "drop d.plain",
    "insert d.plain 4",
    "drop d.plain",
    "dropDatabase d",
    "insert e.x 5",
  ]);
  await node.close();
  node = await openNode(disk);
  for (const [i, { position }] of before.entries()) {
    const after = readAll(follow(node, { from: position }));
    assert.deepEqual(after.map(told), before.slice(i + 1).map(told), `behind event ${i}`);
    const same = readAll(follow(node, { from: { kind: "before", time: position.time } }));
    assert.ok(same.map(told).includes(told(before[i]!)), "at the time of an event it is told again");
  }
  const later = follow(node, { from: end });
  assert.deepEqual(readAll(later), []);
  await insertNumbers(node, PLAIN_NAME, [6]);
  assert.deepEqual(readAll(later).map(told), ["insert d.plain 6"]);
  await node.close();
});

Deno.test("a stream on a collection or a database ends with it", async () => {
  const node = await openNode(new MemoryDisk());
  const other: Namespace = { db: "d", collection: "other" };
  const onCollection = follow(node, { scope: { kind: "collection", namespace: PLAIN_NAME } });
  const onDatabase = follow(node, { scope: { kind: "database", db: "d" } });
  await insertNumbers(node, PLAIN_NAME, [1]);
  await insertNumbers(node, other, [2]);
  await insertNumbers(node, { db: "e", collection: "x" }, [3]);
  await node.router.dropCollection(PLAIN_NAME);
  await node.router.dropDatabase("d");
  const ended = readAll(onCollection);
  assert.deepEqual(ended.map(told), ["insert d.plain 1", "drop d.plain", "invalidate"]);
  assert.deepEqual(ended.map(({ isInvalidate }) => isInvalidate), [false, false, true]);
  assert.deepEqual(readAll(onDatabase).map(told), [
    "insert d.plain 1",
    "insert d.other 2",
    "drop d.plain",
    "drop d.other",
    "dropDatabase d",
    "invalidate",
  ]);
  // Behind the drop comes the end; behind the end what a new collection of that name brings.
  const again = (event: ChangeEvent) =>
    readAll(follow(node, {
      scope: { kind: "collection", namespace: PLAIN_NAME },
      from: event.position,
    }));
  await insertNumbers(node, PLAIN_NAME, [4]);
  assert.deepEqual(again(ended[1]!).map(told), ["invalidate", "insert d.plain 4"]);
  assert.deepEqual(again(ended[2]!).map(told), ["insert d.plain 4"]);
  await node.close();
});

Deno.test("what is not kept in the log any more cannot be told: 286, and 280 for an event of another stream", async () => {
  const disk = new MemoryDisk();
  const node = await openNode(disk, 2048);
  const feed = follow(node);
  await insertNumbers(node, PLAIN_NAME, [1, 2]);
  const [first] = readAll(feed);
  const elsewhere = { kind: "collection", namespace: { db: "d", collection: "else" } } as const;
  await insertNumbers(node, elsewhere.namespace, [9]);
  assert.equal(
    codeOf(() => readAll(follow(node, { scope: elsewhere, from: first!.position }))),
    "ChangeStreamFatalError",
  );
  for (let n = 10; n < 60; n++) {
    await insertNumbers(node, PLAIN_NAME, [n]);
    if (n % 10 === 0) await node.checkpoint();
  }
  assert.equal(codeOf(() => follow(node, { from: first!.position })), "ChangeStreamHistoryLost");
  assert.equal(codeOf(() => readAll(feed)), "ChangeStreamHistoryLost");
  await node.close();
});

Deno.test("documents before and after a change are shown where the collection keeps them", async () => {
  const node = await openNode(new MemoryDisk());
  const options = BuiltDocument.of({ changeStreamPreAndPostImages: BuiltDocument.of({ enabled: true }) });
  await node.router.createCollection(PLAIN_NAME, { options });
  const images = { fullDocument: "required", fullDocumentBeforeChange: "required" } as const;
  const feed = follow(node, images);
  const looking = follow(node, { fullDocument: "updateLookup" });
  await insertNumbers(node, PLAIN_NAME, [1]);
  await renumber(node, PLAIN_NAME, [1], 10);
  await renumber(node, PLAIN_NAME, [11], 10);
  await deleteNumbers(node, PLAIN_NAME, [21]);
  const shown = readAll(feed).map((
    { document },
  ) => [numberOf(document, "fullDocumentBeforeChange"), numberOf(document, "fullDocument")]);
  assert.deepEqual(shown, [[undefined, 1], [1, 11], [11, 21], [21, undefined]]);
  assert.deepEqual(readAll(looking).map(({ document }) => document.get("fullDocument") === null), [
    false,
    true,
    true,
    false,
  ]);
  await node.router.createCollection({ db: "d", collection: "without" }, PLAIN);
  const without = follow(node, images);
  await insertNumbers(node, { db: "d", collection: "without" }, [1]);
  await renumber(node, { db: "d", collection: "without" }, [1], 1);
  assert.equal(codeOf(() => readAll(without)), "NoMatchingDocument");
  await node.close();
});

function numberOf(document: Document, field: string): number | undefined {
  const image = document.get(field);
  const n = image instanceof Document ? image.get("n") : undefined;
  return n instanceof Int32 ? n.value : undefined;
}

Deno.test("collections that come, change and go are told with showExpandedEvents", async () => {
  const node = await openNode(new MemoryDisk());
  const feed = follow(node, { showExpandedEvents: true });
  await node.router.createCollection(PLAIN_NAME, PLAIN);
  const index = BuiltDocument.of({ v: Int32.of(2), key: BuiltDocument.of({ a: Int32.of(1) }), name: "a_1" });
  await node.router.createIndexes(PLAIN_NAME, () => [index], () => Promise.resolve());
  await node.router.changeIndexes(PLAIN_NAME, () => []);
  await node.router.modifyCollection(PLAIN_NAME, () => ({
    options: BuiltDocument.of({ changeStreamPreAndPostImages: BuiltDocument.of({ enabled: true }) }),
  }));
  await node.router.dropCollection(PLAIN_NAME);
  const events = readAll(feed);
  assert.deepEqual(events.map(told), [
    "create d.plain",
    "createIndexes d.plain",
    "dropIndexes d.plain",
    "modify d.plain",
    "drop d.plain",
  ]);
  const description = events[1]!.document.get("operationDescription");
  const indexes = description instanceof Document ? description.get("indexes") : undefined;
  assert.ok(isArray(indexes) && indexes.length === 1);
  assert.ok(events.every(({ document }) => document.has("collectionUUID")));
  await node.close();
});
