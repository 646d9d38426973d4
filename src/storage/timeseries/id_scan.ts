/**
 * Where the rows with some ids are: which series, and in which span of time. A scan of that finds them, wherever its rows
 * come from, and reads few others.
 *
 * Of a row group the bounds of its ids say whether one may be there, the index of its ids in which page; that page is
 * read. Rows whose id is not in the column of ids (kept whole, in a remainder, a document) are asked one by one.
 */
import { PAGE_ROWS } from "../../base/mod.ts";
import { encodeIndexKey, isArray, type Value } from "../../bson/mod.ts";
import { ID_FIELD, type IdKey, idKeyOf, isOneOf, isWithin, placesOfIds } from "./id_key.ts";
import type { Memtable } from "./memtable.ts";
import { PageRows } from "./page_rows.ts";
import { ReadAhead } from "./read_ahead.ts";
import { FIRST_COLUMN_PAGES, pageCount, type RowGroup } from "./row_group.ts";
import type { RowSource } from "./row_source.ts";
import type { TimeRange } from "./run.ts";
import type { TableSnapshot } from "./table_snapshot.ts";
import type { TimeseriesCounters } from "./scan_request.ts";
import type { Segment } from "./segment.ts";
import type { RowGroupEntry } from "./segment_format.ts";
import { type Path, REMAINDER_KEY, type Shape } from "./shape.ts";
import { documentOf } from "./stored_document.ts";

/** More ids than this are not looked for one by one. */
const MAX_IDS = 1000;

/** Rows of these series, in this span. */
export interface IdPlaces {
  readonly series: ReadonlySet<number>;
  readonly range: TimeRange;
}

/**
 * Finds ids, none of them null.
 *
 * @param range times of rows that matter
 * @param rest awaited now and then, to let others run
 * @returns undefined when there are too many of them
 */
export async function locateIds(
  snapshot: TableSnapshot,
  values: readonly Value[],
  range: TimeRange,
  counters: TimeseriesCounters,
  rest: () => Promise<void>,
): Promise<IdPlaces | undefined> {
  if (values.length > MAX_IDS) return undefined;
  const ids = values.map(idKeyOf);
  const found = new Places();
  for (const { segment, groups } of snapshot.segments) {
    for (const entry of groups) {
      if (entry.minTime > range.toMs || entry.maxTime < range.fromMs) continue;
      locateInGroup(snapshot, segment, entry, ids, counters, found);
      await rest();
    }
  }
  for (const { memtable, limit } of snapshot.memtables) {
    if (limit > 0) await locateInMemtable(memtable, limit, ids, found, rest);
  }
  return found;
}

class Places implements IdPlaces {
  readonly series = new Set<number>();
  private fromMs = Infinity;
  private toMs = -Infinity;

  get range(): TimeRange {
    return { fromMs: this.fromMs, toMs: this.toMs };
  }

  add(series: number, ms: number): void {
    this.series.add(series);
    this.fromMs = Math.min(this.fromMs, ms);
    this.toMs = Math.max(this.toMs, ms);
  }
}

function locateInGroup(
  snapshot: TableSnapshot,
  segment: Segment,
  entry: RowGroupEntry,
  ids: readonly IdKey[],
  counters: TimeseriesCounters,
  found: Places,
): void {
  const near = ids.filter(({ key }) => isWithin(key, entry.minId, entry.maxId));
  const inColumn = near.length === 0 ? 0 : pagesWith(segment, entry, near);
  const pages = inColumn | entry.otherIdPages;
  counters.pagesSkipped += pageCount(entry.rows) - bitCount(pages);
  if (pages === 0) return;
  const group = segment.rowGroup(entry, snapshot.names);
  for (let page = 0; page < pageCount(entry.rows); page++) {
    const bit = 1 << page;
    if ((pages & bit) === 0) continue;
    const rows = new PageRows(new ReadAhead(segment, group), group, page, snapshot.index, counters);
    const places = (entry.otherIdPages & bit) !== 0 ? rowsAsked(rows, ids) : rowsInColumn(rows, group, near);
    for (const row of places) found.add(group.series[group.placeOfRow(row)]!, rows.timeOf(row));
  }
}

/** The pages that may have one of the ids in the column of ids, a bit each. */
function pagesWith(segment: Segment, entry: RowGroupEntry, ids: readonly IdKey[]): number {
  if (entry.idIndexBytes === 0) return (1 << pageCount(entry.rows)) - 1;
  const index = segment.idIndex(entry);
  return ids.reduce((pages, { hash }) => pages | index.pagesOf(hash), 0);
}

function rowsInColumn(rows: PageRows, group: RowGroup, ids: readonly IdKey[]): number[] {
  const column = group.paths.findIndex((path) => path.key === ID_FIELD);
  if (column < 0 || group.page(column + FIRST_COLUMN_PAGES, rows.page).count === 0) return [];
  const { values, indexes } = rows.readColumn(column);
  const places = placesOfIds(values, ids);
  return places.map((place) => rows.firstRow + (indexes === undefined ? place : rowOf(indexes, place)));
}

/** The row whose value has an index, of rows with the number of values before each. */
function rowOf(indexes: Int32Array, index: number): number {
  let low = 0;
  let high = indexes.length - 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (indexes[middle + 1]! <= index) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The rows of a page, each asked for its document's field. */
function rowsAsked(rows: PageRows, ids: readonly IdKey[]): number[] {
  const found: number[] = [];
  for (let row = rows.firstRow; row < rows.firstRow + rows.rowCount; row++) {
    if (hasId(rows, row, ids)) found.push(row);
  }
  return found;
}

/** Whether a row has one of the ids, or an array, which may have it as an element. */
function hasId(source: RowSource, row: number, ids: readonly IdKey[]): boolean {
  const id = documentOf(source, row).get(ID_FIELD);
  return id !== undefined && (isArray(id) || isOneOf(encodeIndexKey(id), ids));
}

async function locateInMemtable(
  memtable: Memtable,
  limit: number,
  ids: readonly IdKey[],
  found: Places,
  rest: () => Promise<void>,
): Promise<void> {
  const { paths } = memtable.dictionary;
  const column = paths.findIndex((path) => path.key === ID_FIELD);
  const values = column < 0 ? undefined : memtable.columnIfAny(column);
  if (values !== undefined) {
    const rows = placesOfIds(values, ids).map((place) => memtable.rowOf(column, place));
    for (const row of rows) if (row < limit) found.add(memtable.seriesOf(row), memtable.timeOf(row));
  }
  await rest();
  const hasOther = memtable.hasWholeRows || paths.some(({ key }) => isOther(key));
  if (!hasOther) return;
  for (let row = 0; row < limit; row++) {
    if (row % PAGE_ROWS === 0) await rest();
    if (mayHoldOther(memtable.shapeOf(row), paths) && hasId(memtable, row, ids)) {
      found.add(memtable.seriesOf(row), memtable.timeOf(row));
    }
  }
}

/** Whether a column may hold ids, or parts of them, beside the column of ids. */
function isOther(pathKey: string): boolean {
  return pathKey === REMAINDER_KEY || pathKey.startsWith(`${ID_FIELD}\0`);
}

/** Whether rows of a shape may have their id elsewhere than in the column of ids. */
function mayHoldOther(shape: Shape | undefined, paths: readonly Path[]): boolean {
  return shape === undefined || shape.columns().some((column) => isOther(paths[column]!.key));
}

function bitCount(bits: number): number {
  let count = 0;
  for (; bits !== 0; bits &= bits - 1) count++;
  return count;
}
