/** Batches of one collection's rows, each read for itself: nothing is held between them. */
import { compareBytes, encodeIndexKey, type Value } from "../../bson/mod.ts";
import type { StoredRow, TableReader } from "./collection_table.ts";

/** Ids looked up between two batches: few, since each document may be large. */
const KEYS_AT_ONCE = 64;

/** Which rows, and in which order. */
export interface ScanOrder {
  /** The only values of _id that can match; undefined for all documents. */
  readonly ids?: readonly Value[];
  /** From the last inserted to the first; undefined for the order of insertion. Not with `ids`. */
  readonly backward?: boolean;
}

export type RowBatches = Generator<readonly StoredRow[], void, undefined>;

/**
 * Rows in order of insertion (or backward), or those of the ids asked for in order of _id.
 *
 * @param reader called for each batch, so that it may refuse a collection that was dropped meanwhile
 */
export function scanBatches(reader: () => TableReader | undefined, order: ScanOrder): RowBatches {
  if (order.ids !== undefined) return batchesByKey(reader, order.ids);
  return order.backward === true ? batchesBackward(reader) : batchesForward(reader);
}

function* batchesForward(reader: () => TableReader | undefined): RowBatches {
  for (let last = 0;;) {
    const rows = reader()?.batchAfter(last) ?? [];
    if (rows.length === 0) return;
    yield rows;
    last = rows.at(-1)!.seq;
  }
}

function* batchesBackward(reader: () => TableReader | undefined): RowBatches {
  for (let first = Number.MAX_SAFE_INTEGER;;) {
    const rows = reader()?.batchBefore(first) ?? [];
    if (rows.length === 0) return;
    yield rows;
    first = rows.at(-1)!.seq;
  }
}

function* batchesByKey(reader: () => TableReader | undefined, ids: readonly Value[]): RowBatches {
  const keys = sortedKeys(ids);
  for (let from = 0; from < keys.length; from += KEYS_AT_ONCE) {
    const rows: StoredRow[] = [];
    for (const key of keys.slice(from, from + KEYS_AT_ONCE)) {
      const row = reader()?.find(key);
      if (row !== undefined) rows.push(row);
    }
    if (rows.length > 0) yield rows;
  }
}

/** Keys of the values, each once, in order. */
function sortedKeys(ids: readonly Value[]): Uint8Array[] {
  const keys = ids.map(encodeIndexKey).sort(compareBytes);
  return keys.filter((key, i) => i === 0 || compareBytes(keys[i - 1]!, key) !== 0);
}
