/** What the tests of the store share: documents as bytes, a store on a simulated disk, scans read to their end. */
import { SILENT_LOGGER } from "../../base/mod.ts";
import {
  BsonWriter,
  BuiltDocument,
  type Document,
  encodeDocument,
  RawDocument,
  UtcDate,
  type Value,
} from "../../bson/mod.ts";
import { type Disk, MemoryDisk, SimulatedClock } from "../../io/mod.ts";
import type { TimeseriesCounters, TimeseriesScan } from "./scan_request.ts";
import type { TimeseriesStoreOptions } from "./store_options.ts";
import { TimeseriesStore } from "./timeseries_store.ts";

export const TABLE = 7;
export const TABLE_OPTIONS = { timeField: "t", metaField: "m", spanSeconds: 3600 } as const;

export function openStore(
  disk: Disk = new MemoryDisk(),
  options: Partial<TimeseriesStoreOptions> = {},
): Promise<TimeseriesStore> {
  const clock = new SimulatedClock();
  return TimeseriesStore.open({ disk, directory: "ts", clock, logger: SILENT_LOGGER, ...options });
}

export async function openStoreWithTable(disk: Disk = new MemoryDisk()): Promise<TimeseriesStore> {
  const store = await openStore(disk);
  await store.createTable(TABLE, TABLE_OPTIONS);
  return store;
}

/** A document from plain values: numbers are doubles. */
export function documentFrom(record: Readonly<Record<string, Value>>): RawDocument {
  return new RawDocument(encodeDocument(BuiltDocument.of(record)));
}

/** A document from whole elements as bytes: type, name, value. */
export function documentOfElements(...elements: readonly Uint8Array[]): RawDocument {
  const writer = new BsonWriter();
  const start = writer.beginDocument();
  for (const element of elements) writer.bytes(element);
  writer.endDocument(start);
  return new RawDocument(writer.take());
}

/** An element with its value as bytes; the name, too, may be any bytes. */
export function element(
  type: number,
  name: string | Uint8Array,
  value: Uint8Array | readonly number[],
): Uint8Array {
  const nameBytes = typeof name === "string" ? new TextEncoder().encode(name) : name;
  return Uint8Array.of(type, ...nameBytes, 0, ...value);
}

export function measurement(
  ms: number,
  meta: Value,
  fields: Readonly<Record<string, Value>> = {},
): RawDocument {
  return documentFrom({ t: new UtcDate(ms), m: meta, ...fields });
}

/** Prepares and applies; throws when one is refused. */
export function insert(
  store: TimeseriesStore,
  logIndex: number,
  documents: readonly RawDocument[],
  table = TABLE,
): void {
  const { payload, batch, errors } = store.prepareInsert(table, documents, true);
  if (errors[0] !== undefined) throw errors[0].error;
  if (payload !== undefined) store.applyInsert(logIndex, table, payload.slice(), batch);
}

export function newCounters(): TimeseriesCounters {
  return {
    seriesScanned: 0,
    seriesMatched: 0,
    segmentsRead: 0,
    segmentsSkipped: 0,
    pagesRead: 0,
    pagesSkipped: 0,
    rowsRead: 0,
  };
}

/** All rows of a scan. */
export async function scanAll(
  store: TimeseriesStore,
  request: Partial<TimeseriesScan> = {},
  table = TABLE,
): Promise<Document[]> {
  const rows: Document[] = [];
  const full = { checkpoint: () => Promise.resolve(), counters: newCounters(), ...request };
  for await (const batch of store.scan(table, full)) rows.push(...batch);
  return rows;
}

/** A document's bytes as text, for comparing. */
export function hexOf(document: Document): string {
  return encodeDocument(document).toHex();
}
