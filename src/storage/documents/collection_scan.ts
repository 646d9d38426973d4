/** Batches of one collection's rows, each read for itself: nothing is held between them. */
import { CommandError } from "../../base/mod.ts";
import {
  BuiltDocument,
  compareBytes,
  type Document,
  encodeIndexKey,
  RawDocument,
  type Value,
} from "../../bson/mod.ts";
import { ID_INDEX_NAME } from "./id_index.ts";
import { type IndexBatch, type IndexReader, type KeyRange, POINTS_AT_ONCE } from "./index_reader.ts";
import { firstRows, keyDocuments, type KeyField } from "./key_documents.ts";
import { documentOf, MAX_PACKED_ROWS } from "./packed_rows.ts";
import { SeqSet } from "./seq_set.ts";
import { keyOf, type NamedKey, shownDocument, type ShownFields } from "./shown_rows.ts";
import type { IndexRow, KeyRow, StoredRow } from "./stored_row.ts";

/** Ranges whose rows make one batch, after fewer: often a few rows are all that is asked for. */
const MAX_RANGES_AT_ONCE = 64;
/** Ids looked up between two batches: few, since each document may be large. */
const KEYS_AT_ONCE = 64;

/** Which rows, and in which order. */
export interface ScanOrder {
  /** The only values of _id that can match; undefined for all documents. */
  readonly ids?: readonly Value[];
  /** From the last inserted to the first; undefined for the order of insertion. Not with `ids`. */
  readonly backward?: boolean;
  /** The index by which documents are read, in its order. Not with the others. */
  readonly index?: IndexOrder;
  /** Indexes, of which one or another has each document; in no order. Not with the others. */
  readonly union?: readonly IndexOrder[];
  /** How many rows of an index are enough, where that is known. */
  readonly limit?: number;
  /** Whether all rows are likely to be asked for, so that the first batch need not be small. */
  readonly takesAll?: boolean;
  /** Where the scan goes on, and which it moves along; in order of insertion. Not with the others. */
  readonly tail?: TailPosition;
}

/** A place in the order of insertion of a collection whose first documents go as others come. */
export interface TailPosition {
  /** Where the last document stood that was read; 0 for none. */
  last: number;
}

/** What a scan is asked for; a query's `ScanRequest` is one. */
export interface DocumentScanRequest extends ScanOrder {
  /** Called between batches: throws when the operation was killed, else lets others run. */
  readonly checkpoint: () => Promise<void>;
  /** What documents show of themselves. */
  readonly shown?: ShownFields;
  /** Where the scan adds the documents it read, and the keys that it made documents of. */
  readonly counters?: { rowsRead: number; keysRead: number };
}

export interface IndexOrder {
  readonly name: string;
  /** Ascending and apart. */
  readonly ranges: readonly KeyRange[];
  /** From the last key of the last range to the first. */
  readonly backward: boolean;
  /** Whether a document may have several keys there: it comes once. */
  readonly repeats: boolean;
  /** Which keys these are; needed where documents show them. */
  readonly index?: NamedKey;
  /** Set where rows are made of keys, and no document is read: the index's fields. */
  readonly covered?: readonly KeyField[];
  /** The index's first fields, where of rows that are equal there one is enough: the first. */
  readonly distinct?: readonly KeyField[];
}

/** The rows of a collection. */
export interface RowTable {
  /** The next rows behind a place, in order; none at the end. */
  batchAfter(seq: number): readonly StoredRow[];
  /** The next rows before a place, the last first; none at the start. */
  batchBefore(seq: number): readonly StoredRow[];
  find(key: Uint8Array): StoredRow | undefined;
  /** Whether a row stands there. */
  hasSeq(seq: number): boolean;
}

/** The rows of a collection by an index. */
export interface RowIndex {
  /** The next rows of a range. */
  read(range: KeyRange, backward: boolean, maxRows: number): IndexBatch;
  /** As `read`, with their keys. */
  readWithKeys(range: KeyRange, backward: boolean, maxRows: number): IndexBatch<IndexRow>;
  /** As `read`, the keys alone. */
  readKeys(range: KeyRange, backward: boolean, maxRows: number): IndexBatch<KeyRow>;
  /** The rows under whole keys, in their order; undefined where one is too large to be read with others. */
  readPoints?(keys: readonly Uint8Array[], backward: boolean): readonly StoredRow[] | undefined;
}

/** What a batch is read with; asked for again for each, so that it may refuse what was dropped meanwhile. */
export interface BatchReaders<Index extends RowIndex = RowIndex> {
  readonly table: () => RowTable | undefined;
  readonly index: (name: string) => Index | undefined;
}

/** Documents as a query reads them. */
export type DocumentBatches = AsyncGenerator<readonly Document[], void, undefined>;

export type RowBatches = Generator<readonly StoredRow[], void, undefined>;

/**
 * Rows in order of insertion (or backward), or those of the ids asked for in order of _id.
 *
 * Or in the order of an index.
 */
export function scanBatches({ table: reader, index }: BatchReaders, order: ScanOrder): RowBatches {
  if (order.tail !== undefined) return batchesFrom(reader, order.tail);
  const { index: byIndex, union = byIndex && [byIndex] } = order;
  if (byIndex !== undefined && isOfPoints(byIndex) && index(byIndex.name)?.readPoints !== undefined) {
    return batchesOfPoints(byIndex, index);
  }
  if (union !== undefined) return batchesByIndexes(union, documentsOf(index), firstRowsOf(order));
  if (order.ids !== undefined) return batchesByKey(reader, order.ids);
  return order.backward === true ? batchesBackward(reader) : batchesForward(reader);
}

/** How many rows there are by an index, in parts. */
export function* countRows(
  { index }: BatchReaders<IndexReader>,
  { name, ranges, repeats }: IndexOrder,
): Generator<number, void, undefined> {
  for (const range of ranges) yield* index(name)?.count(range, repeats) ?? [];
}

/** The batches, with errors of SQLite's as ours. @param guard gives them their names */
export function* guardedBatches<T>(
  batches: Generator<T, void, undefined>,
  guard: <R>(action: () => R) => R,
): Generator<T, void, undefined> {
  for (;;) {
    const next = guard(() => batches.next());
    if (next.done === true) return;
    yield next.value;
  }
}

/** Documents for a query. @param guard see `guardedBatches` */
export async function* scanDocuments(
  readers: BatchReaders,
  request: DocumentScanRequest,
  guard: <R>(action: () => R) => R,
): DocumentBatches {
  const { shown } = request;
  if (shown !== undefined) return yield* scanShown(readers, request, shown, guard);
  if (request.index?.covered !== undefined) return yield* scanKeys(readers, request.index, request, guard);
  for (const rows of guardedBatches(scanBatches(readers, request), guard)) {
    if (request.counters !== undefined) request.counters.rowsRead += rows.length;
    yield rows.map(documentOf);
    await request.checkpoint();
  }
}

/** Documents with what they show of themselves. */
async function* scanShown(
  readers: BatchReaders,
  request: DocumentScanRequest,
  shown: ShownFields,
  guard: <R>(action: () => R) => R,
): DocumentBatches {
  const { index, union } = request;
  const orders = index === undefined ? union : [index];
  const batches = orders === undefined
    ? shownInOrder(readers, request, shown)
    : batchesByIndexes(orders, shownByKey(readers.index, shown), firstRowsOf(request));
  for (const rows of guardedBatches(batches, guard)) {
    if (request.counters !== undefined) request.counters.rowsRead += rows.length;
    yield rows.map(({ document }) => document);
    await request.checkpoint();
  }
}

interface ShownRow {
  readonly seq: number;
  readonly document: Document;
}

function* shownInOrder(
  readers: BatchReaders,
  order: ScanOrder,
  shown: ShownFields,
): Generator<readonly ShownRow[], void, undefined> {
  const keyOfId = (doc: Uint8Array) => BuiltDocument.of({ _id: new RawDocument(doc).get("_id") });
  for (const rows of scanBatches(readers, order)) {
    yield rows.map((row) => {
      const key = order.ids === undefined ? undefined : keyOfId(row.doc);
      return { seq: row.seq, document: shownDocument(row, shown, key) };
    });
  }
}

function shownByKey(index: BatchReaders["index"], shown: ShownFields): ReadRange<ShownRow> {
  return ({ name, backward, index: named }, range, maxRows) => {
    const batch = index(name)?.readWithKeys(range, backward, maxRows);
    return batch && {
      rows: batch.rows.map((row) => {
        return { seq: row.seq, document: shownDocument(row, shown, named && keyOf(named, row)) };
      }),
      left: batch.left,
    };
  };
}

/** Documents made of the keys of an index alone. */
async function* scanKeys(
  readers: BatchReaders,
  order: IndexOrder,
  request: DocumentScanRequest,
  guard: <R>(action: () => R) => R,
): DocumentBatches {
  const make = keyDocuments(order.covered ?? []);
  const batches = batchesByIndexes([order], keysOf(readers.index), firstRowsOf(request));
  for (const rows of guardedBatches(batches, guard)) {
    if (request.counters !== undefined) request.counters.keysRead += rows.length;
    yield rows.map(make);
    await request.checkpoint();
  }
}

function* batchesForward(reader: () => RowTable | undefined): RowBatches {
  for (let last = 0;;) {
    const rows = reader()?.batchAfter(last) ?? [];
    if (rows.length === 0) return;
    yield rows;
    last = rows.at(-1)!.seq;
  }
}

/** @throws CommandError CappedPositionLost where the last document read has gone: others may have, unread */
function* batchesFrom(reader: () => RowTable | undefined, position: TailPosition): RowBatches {
  for (;;) {
    const table = reader();
    if (table === undefined) return;
    if (position.last > 0 && !table.hasSeq(position.last)) {
      throw new CommandError(
        "CappedPositionLost",
        "CollectionScan died due to failure to restore tailable cursor position. Last seen record id: " +
          `RecordId(${position.last})`,
      );
    }
    const rows = table.batchAfter(position.last);
    if (rows.length === 0) return;
    position.last = rows.at(-1)!.seq;
    yield rows;
  }
}

function* batchesBackward(reader: () => RowTable | undefined): RowBatches {
  for (let first = Number.MAX_SAFE_INTEGER;;) {
    const rows = reader()?.batchBefore(first) ?? [];
    if (rows.length === 0) return;
    yield rows;
    first = rows.at(-1)!.seq;
  }
}

function* batchesByKey(reader: () => RowTable | undefined, ids: readonly Value[]): RowBatches {
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

/** The next rows of a range of an index; undefined where there is no collection. */
type ReadRange<Row extends { readonly seq: number }> = (
  order: IndexOrder,
  range: KeyRange,
  maxRows: number,
) => IndexBatch<Row> | undefined;

function documentsOf(index: BatchReaders["index"]): ReadRange<StoredRow> {
  return ({ name, backward, distinct }, range, maxRows) => {
    const reader = index(name);
    if (distinct === undefined) return reader?.read(range, backward, maxRows);
    const readOne = (from: KeyRange) => reader?.readWithKeys(from, backward, 1);
    return firstRows(readOne, range, backward, maxRows, distinct);
  };
}

function keysOf(index: BatchReaders["index"]): ReadRange<KeyRow> {
  return ({ name, backward, distinct }, range, maxRows) => {
    const reader = index(name);
    if (distinct === undefined) return reader?.readKeys(range, backward, maxRows);
    return firstRows((from) => reader?.readKeys(from, backward, 1), range, backward, maxRows, distinct);
  };
}

/** Whether the ranges are ids, each a document's whole key. */
function isOfPoints({ name, ranges, distinct }: IndexOrder): boolean {
  return name === ID_INDEX_NAME && distinct === undefined && ranges.length > 1 &&
    ranges.every(({ isPoint }) => isPoint === true);
}

/** Documents by their ids: first of one, then of more and more at once, since often a few rows are all that is asked for. */
function* batchesOfPoints(order: IndexOrder, index: BatchReaders["index"]): RowBatches {
  const { ranges, backward } = order;
  for (
    let from = 0, count = 1;
    from < ranges.length;
    from += count, count = Math.min(count * 2, POINTS_AT_ONCE)
  ) {
    const reader = index(order.name);
    if (reader === undefined) return;
    const part = backward
      ? ranges.slice(Math.max(0, ranges.length - from - count), ranges.length - from)
      : ranges.slice(from, from + count);
    const rows = reader.readPoints?.(part.map((range) => range.from), backward);
    if (rows === undefined) yield* batchesByIndexes([{ ...order, ranges: part }], documentsOf(index), count);
    else if (rows.length > 0) yield rows;
  }
}

function* batchesByIndexes<Row extends { readonly seq: number }>(
  orders: readonly IndexOrder[],
  read: ReadRange<Row>,
  atFirst: number,
): Generator<readonly Row[], void, undefined> {
  const seen = orders.length > 1 || orders[0]?.repeats === true ? new SeqSet() : undefined;
  let rowsAtOnce = atFirst;
  let rangesAtOnce = 1;
  let gathered: Row[] = [];
  let ranges = 0;
  for (const [order, range] of orders.flatMap(rangesInOrder)) {
    for (let left: KeyRange | undefined = range; left !== undefined;) {
      const batch: IndexBatch<Row> | undefined = read(order, left, rowsAtOnce - gathered.length);
      if (batch === undefined) return;
      for (const row of batch.rows) if (seen === undefined || seen.add(row.seq)) gathered.push(row);
      left = batch.left;
      const isFull = left !== undefined || gathered.length >= rowsAtOnce || ++ranges >= rangesAtOnce;
      if (!isFull && batch.isLarge !== true) continue;
      if (gathered.length > 0) yield gathered;
      gathered = [];
      ranges = 0;
      rowsAtOnce = MAX_PACKED_ROWS;
      rangesAtOnce = Math.min(rangesAtOnce * 2, MAX_RANGES_AT_ONCE);
    }
  }
  if (gathered.length > 0) yield gathered;
}

function rangesInOrder(order: IndexOrder): readonly (readonly [IndexOrder, KeyRange])[] {
  return (order.backward ? order.ranges.toReversed() : order.ranges).map((range) => [order, range]);
}

/** Often a few are all that is asked for. */
const FEW_ROWS = 16;

function firstRowsOf({ limit, takesAll }: ScanOrder): number {
  return Math.min(limit ?? (takesAll === true ? Infinity : FEW_ROWS), MAX_PACKED_ROWS);
}

/** Keys of the values, each once, in order. */
function sortedKeys(ids: readonly Value[]): Uint8Array[] {
  const keys = ids.map(encodeIndexKey).sort(compareBytes);
  return keys.filter((key, i) => i === 0 || compareBytes(keys[i - 1]!, key) !== 0);
}
