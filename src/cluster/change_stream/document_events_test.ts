import assert from "node:assert/strict";
import { deserialize, serialize } from "bson";
import { Binary, BuiltDocument, encodeDocument, RawDocument } from "../../bson/mod.ts";
import { type Effect, EffectBuffer, type LogRecord } from "../../storage/mod.ts";
import type { CollectionInfo } from "../catalog.ts";
import { timeOf } from "../cluster_clock.ts";
import { EntryKind } from "../entry.ts";
import { documentEvents } from "./document_events.ts";

const INFO: CollectionInfo = {
  id: 1,
  db: "d",
  collection: "c",
  uuid: new Binary(new Uint8Array(16), Binary.SUBTYPE_UUID),
  options: BuiltDocument.EMPTY,
};

const raw = (value: Record<string, unknown>) => new RawDocument(serialize(value));

function recordOf(effects: readonly Effect[], others: Partial<LogRecord> = {}): LogRecord {
  const buffer = new EffectBuffer();
  effects.forEach((effect) => buffer.add(effect));
  const clusterTime = timeOf(1_700_000_000, 500 * 4_000_000 + 1);
  return {
    group: 1,
    index: 1,
    kind: EntryKind.Documents,
    term: 0,
    clusterTime,
    payload: buffer.parts()[0]!,
    ...others,
  };
}

function eventsOf(record: LogRecord, info = INFO): Record<string, unknown>[] {
  const events = documentEvents(record, {
    images: { fullDocument: "default", fullDocumentBeforeChange: "off" },
    isExpanded: false,
    showsRaw: false,
    collection: (id) => id === info.id ? info : undefined,
    lookUp: () => undefined,
  });
  return events.map(({ document }) => deserialize(encodeDocument(document)));
}

Deno.test("an event tells the time of its entry to the millisecond, and its place in the entry by its token", () => {
  const insert = (id: number, collectionId = 1): Effect => ({
    kind: "insert",
    collectionId,
    document: raw({ _id: id }),
  });
  const events = eventsOf(recordOf([insert(1), insert(7, 2), insert(2)]));
  assert.deepEqual(events.map(({ documentKey }) => documentKey), [{ _id: 1 }, { _id: 2 }]);
  assert.deepEqual(events[0]?.["wallTime"], new Date(1_700_000_000_500));
  const tokens = events.map(({ _id }) => (_id as { _data: string })._data);
  assert.ok(tokens[0]! < tokens[1]! && tokens[1]!.endsWith("010000000200"), tokens.join());
});

Deno.test("the events of a transaction name it in front", () => {
  const effects: Effect[] = [{ kind: "insert", collectionId: 1, document: raw({ _id: 1 }) }];
  const lsid = new Uint8Array(16).fill(5);
  const [event] = eventsOf(recordOf(effects, { lsid, txnNumber: 7n }));
  assert.deepEqual(Object.keys(event!).slice(0, 3), ["txnNumber", "lsid", "_id"]);
  assert.equal(event!["txnNumber"], 7);
  assert.deepEqual([...(event!["lsid"] as { id: Binary }).id.buffer], [...lsid]);
});

Deno.test("what a capped collection loses to new documents is not told", () => {
  const effects: Effect[] = [
    { kind: "insert", collectionId: 1, document: raw({ _id: 2 }) },
    { kind: "delete", collectionId: 1, document: raw({ _id: 1 }) },
  ];
  const kinds = (info: CollectionInfo) =>
    eventsOf(recordOf(effects), info).map(({ operationType }) => operationType);
  assert.deepEqual(kinds(INFO), ["insert", "delete"]);
  assert.deepEqual(kinds({ ...INFO, options: BuiltDocument.of({ capped: true }) }), ["insert"]);
});
