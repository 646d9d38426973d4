/** What the log holds of an insert: a few measurements as documents (measurement.ts), many as a batch (row_batch.ts). */
import type { Document } from "../../bson/mod.ts";
import { MemoryAccount, viewOf } from "../../column/mod.ts";
import { documentsFrom, documentsStart, type MeasurementFields, visitMeasurements } from "./measurement.ts";
import { Memtable } from "./memtable.ts";
import { decodeRowBatch, isRowBatch, rowsOfBatch } from "./row_batch.ts";
import { SeriesIndex } from "./series_index.ts";
import { tableNames } from "./shape.ts";
import { documentOf } from "./stored_document.ts";

/** Adds the measurements to a memtable. */
export function appendInsert(memtable: Memtable, payload: Uint8Array): void {
  if (isRowBatch(payload)) memtable.appendBatch(decodeRowBatch(payload));
  else memtable.appendAll(payload, documentsStart(payload), payload.length);
}

/** Calls `visit` with the series and the time of each of the measurements whose series the table knows. */
export function visitInsert(
  table: { readonly index: SeriesIndex; readonly options: MeasurementFields },
  payload: Uint8Array,
  visit: (series: number, time: number) => void,
): void {
  const { index, options: { timeField, metaField } } = table;
  if (!isRowBatch(payload)) {
    return visitMeasurements(payload, documentsStart(payload), timeField, metaField, index, visit);
  }
  const { times, metas, metaOfRow } = decodeRowBatch(payload);
  const view = viewOf(metas.bytes);
  const series = metas.types.map((type, i) => index.find(type, view, metas.starts[i]!, metas.ends[i]!));
  for (const [row, time] of times.entries()) {
    const own = series[metaOfRow === undefined ? 0 : metaOfRow[row]!]!;
    if (own >= 0) visit(own, time);
  }
}

/** The measurements, in the order in which they came. */
export function documentsOfInsert(payload: Uint8Array): readonly Document[] {
  if (!isRowBatch(payload)) return documentsFrom(payload, documentsStart(payload));
  const batch = decodeRowBatch(payload);
  const names = tableNames(batch.timeField, batch.metaField);
  const memtable = new Memtable(new SeriesIndex(), names, batch, new MemoryAccount());
  memtable.appendBatch(batch);
  return Array.from({ length: batch.rows }, (_, row) => documentOf(memtable, row));
}

/** How many measurements there are. */
export function countOfInsert(payload: Uint8Array): number {
  return isRowBatch(payload) ? rowsOfBatch(payload) : documentsOfInsert(payload).length;
}
