/**
 * What the log's entries say. Entries hold effects, never commands: replaying them in order gives the same state on
 * every node and at every start.
 */
import {
  type Binary,
  BuiltDocument,
  Document,
  encodeDocument,
  Int32,
  isArray,
  RawDocument,
} from "../bson/mod.ts";
import { assert } from "../base/mod.ts";
import type { CollectionInfo, TimeseriesOptions } from "./catalog.ts";
import { viewOf } from "./views.ts";

/** The log's `kind` byte. Numbers are for ever: they stand in files. */
export const EntryKind = {
  /** A collection exists from here on; payload: `collectionToDocument`. */
  CollectionCreated: 1,
  /** A collection is gone; payload: `encodeDropped`. */
  CollectionDropped: 2,
  /** A collection's options, or its name (any other of that name is gone), changed; payload: `collectionToDocument`, with the id of the one that is there. */
  CollectionModified: 3,
  /** A database is gone, whose collections were dropped by entries before; payload: `encodeDatabase`. */
  DatabaseDropped: 4,
  /** Measurements of one table; payload: int32 table, then what the time-series store prepared. */
  Measurements: 16,
  /** Documents of one collection; payload: what the documents store made. */
  Documents: 17,
  /** Measurements of one table go and others come; payload: int32 table, then what a change of the store gave. */
  Changes: 18,
} as const;

/** The group of the MNode's entries; VNodes count from 1. */
export const MNODE_GROUP = 0;

/** A collection as a document, for the log and for the catalog's snapshot. */
export function collectionToDocument(info: CollectionInfo): Document {
  return BuiltDocument.of({
    id: Int32.of(info.id),
    db: info.db,
    collection: info.collection,
    uuid: info.uuid,
    timeseries: info.timeseries && timeseriesToDocument(info.timeseries),
    options: info.options,
    indexes: info.indexes,
  });
}

/** The reverse of `collectionToDocument`. */
export function collectionFromDocument(document: Document): CollectionInfo {
  const timeseries = document.get("timeseries");
  const options = document.get("options");
  const indexes = document.get("indexes");
  assert(options instanceof Document, "a catalog entry holds the collection's options");
  const view = viewOf(options);
  return {
    id: numberIn(document, "id"),
    db: textIn(document, "db"),
    collection: textIn(document, "collection"),
    uuid: document.get("uuid") as Binary,
    ...(timeseries instanceof Document ? { timeseries: timeseriesFromDocument(timeseries) } : {}),
    ...(view === undefined ? {} : { view }),
    options,
    ...(isArray(indexes) ? { indexes: indexes.filter((index) => index instanceof Document) } : {}),
  };
}

/** The payload of `CollectionDropped`. */
export function encodeDropped(id: number): Uint8Array {
  return encodeDocument(BuiltDocument.of({ id: Int32.of(id) }));
}

/** The id in a payload of `CollectionDropped`. */
export function decodeDropped(payload: Uint8Array): number {
  return numberIn(new RawDocument(payload), "id");
}

/** The payload of `DatabaseDropped`. */
export function encodeDatabase(db: string): Uint8Array {
  return encodeDocument(BuiltDocument.of({ db }));
}

/** The database in a payload of `DatabaseDropped`. */
export function decodeDatabase(payload: Uint8Array): string {
  return textIn(new RawDocument(payload), "db");
}

/** Puts the table's id before what the time-series store prepared. */
export function encodeTableId(id: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, id, true);
  return bytes;
}

/** Takes a payload of `Measurements` or `Changes` apart. */
export function decodeMeasurements(payload: Uint8Array): { tableId: number; rows: Uint8Array } {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  return { tableId: view.getInt32(0, true), rows: payload.subarray(4) };
}

function timeseriesToDocument(options: TimeseriesOptions): Document {
  return BuiltDocument.of({
    timeField: options.timeField,
    metaField: options.metaField,
    granularity: options.granularity,
    bucketMaxSpanSeconds: options.bucketMaxSpanSeconds,
    bucketRoundingSeconds: options.bucketRoundingSeconds,
    expireAfterSeconds: options.expireAfterSeconds,
  });
}

function timeseriesFromDocument(document: Document): TimeseriesOptions {
  const metaField = document.get("metaField");
  const granularity = document.get("granularity");
  const rounding = document.get("bucketRoundingSeconds");
  const expiry = document.get("expireAfterSeconds");
  return {
    timeField: textIn(document, "timeField"),
    ...(typeof metaField === "string" ? { metaField } : {}),
    ...(granularity === "seconds" || granularity === "minutes" || granularity === "hours"
      ? { granularity }
      : {}),
    bucketMaxSpanSeconds: numberIn(document, "bucketMaxSpanSeconds"),
    ...(typeof rounding === "number" ? { bucketRoundingSeconds: rounding } : {}),
    ...(typeof expiry === "number" ? { expireAfterSeconds: expiry } : {}),
  };
}

function textIn(document: Document, name: string): string {
  const value = document.get(name);
  assert(typeof value === "string", `a catalog entry has a text "${name}"`);
  return value;
}

function numberIn(document: Document, name: string): number {
  const value = document.get(name);
  assert(value instanceof Int32 || typeof value === "number", `a catalog entry has a number "${name}"`);
  return value instanceof Int32 ? value.value : value;
}
