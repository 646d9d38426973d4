/** What the log holds of an insert: a few measurements as documents (measurement.ts), many as a batch (row_batch.ts). */
import type { Document } from "../../bson/mod.ts";
import { MemoryAccount, viewOf } from "../../column/mod.ts";
import {
  documentsFrom,
  documentsStart,
  type MeasurementFields,
  type MetaCache,
  type PreparedBatch,
  visitMeasurements,
} from "./measurement.ts";
import { Memtable } from "./memtable.ts";
import { decodeRowBatch, isRowBatch, metasOfBatch, rowsOfBatch } from "./row_batch.ts";
import { SeriesIndex } from "./series_index.ts";
import { tableNames } from "./shape.ts";
import { documentOf } from "./stored_document.ts";

/**
 * Adds the measurements to a table's memtable.
 *
 * @param prepared what is known of the payload where it is a batch that was laid out here
 */
export function appendInsert(
  memtable: Memtable,
  payload: Uint8Array,
  table: { readonly index: SeriesIndex; readonly metas: MetaCache },
  prepared: PreparedBatch | undefined,
): void {
  const { index, metas } = table;
  if (!isRowBatch(payload)) return memtable.appendAll(payload, documentsStart(payload), payload.length);
  const known = prepared?.metas?.generation === metas.generation ? prepared.metas : undefined;
  const series = known?.numbers.map((number) => metas.seriesOf(number, index)) ??
    seriesOfBatch(payload, index);
  memtable.appendBatch(decodeRowBatch(payload, prepared?.layout), series);
}

/** The series of the metas of a batch, given numbers where they are new. */
function seriesOfBatch(payload: Uint8Array, index: SeriesIndex): number[] {
  const { bytes, types, starts, ends } = metasOfBatch(payload);
  const view = viewOf(bytes);
  return types.map((type, i) => index.numberOf(type, view, starts[i]!, ends[i]!));
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
  const { times, metaOfRow } = decodeRowBatch(payload);
  const metas = metasOfBatch(payload);
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
  const { rows, timeField, metaField } = batch.head;
  const index = new SeriesIndex();
  const memtable = new Memtable(index, tableNames(timeField, metaField), batch.head, new MemoryAccount());
  memtable.appendBatch(batch, seriesOfBatch(payload, index));
  return Array.from({ length: rows }, (_, row) => documentOf(memtable, row));
}

/** How many measurements there are. */
export function countOfInsert(payload: Uint8Array): number {
  return isRowBatch(payload) ? rowsOfBatch(payload) : documentsOfInsert(payload).length;
}
