/**
 * The rows of one table that are not in a segment yet, in order of arrival.
 *
 *     row r         times[r], series[r], shapes[r]; its values in columns
 *     column c      the values of the rows that have it, without gaps; `rows` says which, once a row has none
 *     series s      rows in order of time: a chain from heads[s] by next, backwards from tails[s] by previous
 *
 * A row that is not before the last one of its series joins the chain's end. Late rows go to the skip list instead, from
 * where readers merge them in. Rows of one series and time stand in order of arrival. Rows never change and keep their
 * number, so a reader that ignores numbers from its start on sees what there was then.
 */
import { assert } from "../../base/mod.ts";
import {
  BsonType,
  type BsonWriter,
  RawDocument,
  readInt32,
  readInt64AsNumber,
  skipElement,
  type Value,
  valueStart,
} from "../../bson/mod.ts";
import { Column, grownInt32, type MemoryAccount, viewOf } from "../../column/mod.ts";
import { valueAt, writeCell } from "./cell.ts";
import type { MeasurementFields } from "./measurement.ts";
import type { RowSource } from "./row_source.ts";
import type { SeriesIndex } from "./series_index.ts";
import type { BatchHead, RowBatch } from "./row_batch.ts";
import {
  type FieldName,
  FIRST_COLUMN_ITEM,
  renumbered,
  type Shape,
  type TableNames,
  WHOLE,
} from "./shape.ts";
import { ShapeTrie } from "./shape_trie.ts";
import { SkipList } from "./skip_list.ts";

const INITIAL_ROWS = 4;
/** What a memtable and each of its columns take of the process beside their values: thousands of tables may be small. */
const MEMTABLE_BYTES = 7000;
const COLUMN_BYTES = 700;
/** No row: the end of a chain. */
export const NO_ROW = -1;
const NO_SERIES: Int32Array = new Int32Array(0);

/** A column, and the rows that have a value in it. */
class SparseColumn {
  readonly values: Column;
  /** The row of each value, ascending; undefined while value i is that of row i. */
  rows: Int32Array | undefined;

  constructor(private readonly account: MemoryAccount) {
    this.values = new Column(account);
    account.bytes += COLUMN_BYTES;
  }

  append(row: number, type: number, source: DataView, start: number, end: number): void {
    const index = this.values.length;
    if (this.rows !== undefined || index !== row) this.addRow(index, row);
    this.values.append(type, source, start, end);
  }

  /** Adds the values of the rows from `row` on, or of `rows`. */
  appendAll(values: Column, row: number, rows: Int32Array | undefined): void {
    const index = this.values.length;
    const count = values.length;
    if (this.rows !== undefined || rows !== undefined || index !== row) {
      const own = this.reserveRows(index, count);
      for (let i = 0; i < count; i++) own[index + i] = rows === undefined ? row + i : rows[i]!;
    }
    this.values.appendRange(values, 0, count);
  }

  /** The index of a row's value; the row has one. */
  indexOf(row: number): number {
    const { rows } = this;
    if (rows === undefined) return row;
    let low = 0;
    let high = this.values.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (rows[middle]! < row) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private addRow(index: number, row: number): void {
    this.reserveRows(index, 1)[index] = row;
  }

  /** Room for the rows of `count` more values. */
  private reserveRows(index: number, count: number): Int32Array {
    if (this.rows === undefined) {
      this.rows = new Int32Array(Math.max(INITIAL_ROWS, index * 2, index + count));
      for (let i = 0; i < index; i++) this.rows[i] = i;
      this.account.bytes += this.rows.byteLength;
    } else if (index + count > this.rows.length) {
      this.account.bytes -= this.rows.byteLength;
      this.rows = grownInt32(this.rows, Math.max(index * 2, index + count));
      this.account.bytes += this.rows.byteLength;
    }
    return this.rows;
  }
}

export class Memtable implements RowSource {
  /** Rows so far. */
  length = 0;
  /** Bytes of the rows as BSON. */
  dataBytes = 0;
  minTime = Infinity;
  maxTime = -Infinity;
  readonly late: SkipList;
  private times = new Float64Array(INITIAL_ROWS);
  private series: Int32Array = new Int32Array(INITIAL_ROWS);
  private shapes: Int32Array = new Int32Array(INITIAL_ROWS);
  private next: Int32Array = new Int32Array(INITIAL_ROWS);
  private previous: Int32Array = new Int32Array(INITIAL_ROWS);
  private heads = NO_SERIES;
  private tails = NO_SERIES;
  private readonly columns: SparseColumn[] = [];
  private readonly whole: SparseColumn;

  constructor(
    private readonly index: SeriesIndex,
    names: TableNames,
    private readonly fields: MeasurementFields,
    private readonly account: MemoryAccount,
    readonly trie: ShapeTrie = new ShapeTrie(names, account),
  ) {
    this.late = new SkipList(account);
    this.whole = new SparseColumn(account);
    account.bytes += MEMTABLE_BYTES + this.rowBytes;
  }

  /** Series numbers below this may have rows here. */
  get seriesEnd(): number {
    return this.heads.length;
  }

  /** Adds the measurements in `bytes[start, end)`, which `prepareMeasurements` let through. */
  appendAll(bytes: Uint8Array, start: number, end: number): void {
    const view = viewOf(bytes);
    for (let at = start; at < end; at += readInt32(bytes, at)) this.append(bytes, view, at);
  }

  /** Adds the measurements of a batch. @param series of each of its metas */
  appendBatch(batch: RowBatch, series: readonly number[]): void {
    const { trie, length: first } = this;
    const { rows, dataBytes, pathKeys } = batch.head;
    const end = first + rows;
    if (end > this.times.length) this.growRows(end);
    const columns = pathKeys.map((key) => trie.columnOf(key));
    this.appendShapes(batch, columns);
    this.appendColumns(batch, columns);
    this.appendTimes(batch, series);
    this.dataBytes += dataBytes;
    this.length = end;
  }

  private appendTimes({ times, metaOfRow }: RowBatch, series: readonly number[]): void {
    const first = this.length;
    this.times.set(times, first);
    for (let i = 0; i < times.length; i++) {
      const time = times[i]!;
      const row = first + i;
      const own = series[metaOfRow === undefined ? 0 : metaOfRow[i]!]!;
      this.series[row] = own;
      if (time < this.minTime) this.minTime = time;
      if (time > this.maxTime) this.maxTime = time;
      this.link(row, own, time);
    }
  }

  private appendShapes(
    { head: { shapes, shapeRuns, shapeRunRows } }: RowBatch,
    columns: readonly number[],
  ): void {
    const numbers = [
      WHOLE,
      ...shapes.map((items) => this.trie.shapeOf(renumbered(items, (own) => columns[own]!))),
    ];
    for (let run = 0, row = this.length; run < shapeRuns.length; run++) {
      const end = row + shapeRunRows[run]!;
      this.shapes.fill(numbers[shapeRuns[run]!]!, row, end);
      row = end;
    }
  }

  private appendColumns(batch: RowBatch, numbers: readonly number[]): void {
    const { columns } = this;
    const { head } = batch;
    const has = head.shapes.map((items) => new Set(items));
    const append = (column: SparseColumn, values: Column, isIn: (shape: number) => boolean) => {
      const rows = values.length === head.rows ? undefined : rowsOf(head, this.length, values.length, isIn);
      column.appendAll(values, this.length, rows);
    };
    for (const [own, number] of numbers.entries()) {
      while (number >= columns.length) columns.push(new SparseColumn(this.account));
      const item = own + FIRST_COLUMN_ITEM;
      append(columns[number]!, batch.columns[own]!, (shape) => shape !== WHOLE && has[shape - 1]!.has(item));
    }
    if (batch.whole.length > 0) append(this.whole, batch.whole, (shape) => shape === WHOLE);
  }

  private append(bytes: Uint8Array, view: DataView, start: number): void {
    const { trie } = this;
    const shape = trie.match(bytes, view, start);
    const row = this.length;
    if (row === this.times.length) this.growRows(row + 1);
    if (shape === WHOLE) this.appendWhole(bytes, view, start, row);
    else this.appendValues(view, row);
    const time = readInt64AsNumber(bytes, trie.timeStart);
    const series = this.index.numberOf(trie.metaType, view, trie.metaStart, trie.metaEnd);
    this.shapes[row] = shape;
    this.times[row] = time;
    this.series[row] = series;
    if (time < this.minTime) this.minTime = time;
    if (time > this.maxTime) this.maxTime = time;
    this.dataBytes += readInt32(bytes, start);
    this.length = row + 1;
    this.link(row, series, time);
  }

  private appendValues(view: DataView, row: number): void {
    const { trie, columns } = this;
    for (let i = 0; i < trie.valueCount; i++) {
      const number = trie.columns[i]!;
      while (number >= columns.length) columns.push(new SparseColumn(this.account));
      columns[number]!.append(row, trie.types[i]!, view, trie.starts[i]!, trie.ends[i]!);
    }
    if (trie.remainder.count > 0) this.appendRemainder(row);
  }

  private appendRemainder(row: number): void {
    const { columns, trie: { remainder, remainderColumn } } = this;
    while (remainderColumn >= columns.length) columns.push(new SparseColumn(this.account));
    const value = remainder.finish();
    columns[remainderColumn]!.append(row, BsonType.Object, viewOf(value), 0, value.length);
  }

  /** A row without a shape: its bytes as one value, its time and meta found by name. */
  private appendWhole(bytes: Uint8Array, view: DataView, start: number, row: number): void {
    const { trie, fields } = this;
    const end = start + readInt32(bytes, start);
    this.whole.append(row, BsonType.Object, view, start, end);
    const time = findElement(bytes, start, fields.timeField);
    assert(time >= 0, "a measurement has a time");
    trie.timeStart = valueStart(bytes, time);
    const meta = fields.metaField === undefined ? -1 : findElement(bytes, start, fields.metaField);
    trie.metaType = meta < 0 ? 0 : bytes[meta]!;
    trie.metaStart = meta < 0 ? 0 : valueStart(bytes, meta);
    trie.metaEnd = meta < 0 ? 0 : skipElement(bytes, meta);
  }

  private link(row: number, series: number, time: number): void {
    if (series >= this.heads.length) this.growSeries(series + 1);
    const tail = this.tails[series]!;
    if (tail !== NO_ROW && time < this.times[tail]!) {
      this.late.insert(series, time, row);
      return;
    }
    this.next[row] = NO_ROW;
    this.previous[row] = tail;
    this.tails[series] = row;
    if (tail === NO_ROW) this.heads[series] = row;
    else this.next[tail] = row;
  }

  /** The first row of a series' chain, or `NO_ROW`. */
  headOf(series: number): number {
    return series < this.heads.length ? this.heads[series]! : NO_ROW;
  }

  /** The last row of a series' chain, or `NO_ROW`. */
  tailOf(series: number): number {
    return series < this.tails.length ? this.tails[series]! : NO_ROW;
  }

  /** The chain's row after, or `NO_ROW`. */
  rowAfter(row: number): number {
    return this.next[row]!;
  }

  /** The chain's row before, or `NO_ROW`. */
  rowBefore(row: number): number {
    return this.previous[row]!;
  }

  seriesOf(row: number): number {
    return this.series[row]!;
  }

  /** The number of a row's shape. */
  shapeNumberOf(row: number): number {
    return this.shapes[row]!;
  }

  shapeOf(row: number): Shape | undefined {
    return this.trie.shapes[this.shapes[row]!];
  }

  /** What shape a number stands for, and what path a column has. */
  get dictionary(): Pick<ShapeTrie, "shapes" | "paths"> {
    return this.trie;
  }

  timeOf(row: number): number {
    return this.times[row]!;
  }

  metaOf(row: number): Value {
    return this.index.sharedMetaOf(this.series[row]!);
  }

  metaTypeOf(row: number): number {
    return this.index.typeOf(this.series[row]!);
  }

  writeMeta(row: number, writer: BsonWriter): void {
    this.index.writeTo(this.series[row]!, writer);
  }

  valueOf(column: number, row: number): Value {
    const values = this.columns[column]!;
    return valueAt(values.values, values.indexOf(row));
  }

  writeValue(column: number, row: number, name: FieldName, writer: BsonWriter): void {
    const values = this.columns[column]!;
    writeCell(values.values, values.indexOf(row), name, writer);
  }

  columnFor(column: number): Column {
    return this.columns[column]!.values;
  }

  /** A column's values; undefined when no row has one. */
  columnIfAny(column: number): Column | undefined {
    return this.columns[column]?.values;
  }

  /** The row whose value in a column has an index. */
  rowOf(column: number, index: number): number {
    const { rows } = this.columns[column]!;
    return rows === undefined ? index : rows[index]!;
  }

  /**
   * Of each row below `limit`, and of the end, how many values stand before it in a column; undefined while each row has
   * one.
   */
  placesIn(column: number, limit: number): Int32Array | undefined {
    const { values, rows } = this.columns[column]!;
    if (rows === undefined && values.length >= limit) return undefined;
    const places = new Int32Array(limit + 1);
    let count = 0;
    for (let row = 0; row < limit; row++) {
      places[row] = count;
      if (count < values.length && (rows === undefined ? count : rows[count]) === row) count++;
    }
    places[limit] = count;
    return places;
  }

  /** Whether a row is kept whole. */
  get hasWholeRows(): boolean {
    return this.whole.values.length > 0;
  }

  /** The times of many rows. */
  timesOf(rows: Int32Array): Float64Array {
    const { times } = this;
    const found = new Float64Array(rows.length);
    for (let i = 0; i < rows.length; i++) found[i] = times[rows[i]!]!;
    return found;
  }

  /** The series of many rows. */
  seriesOfAll(rows: Int32Array): Int32Array {
    return picked(this.series, rows);
  }

  /** The numbers of many rows' shapes. */
  shapesOf(rows: Int32Array): Int32Array {
    return picked(this.shapes, rows);
  }

  /**
   * Puts the rows of a series into `rows` from `at` on, in order of time, if none of the table is late; all are seen.
   *
   * @returns where the next one goes
   */
  putChain(series: number, rows: Int32Array, at: number): number {
    const { next } = this;
    for (let row = this.headOf(series); row !== NO_ROW; row = next[row]!) rows[at++] = row;
    return at;
  }

  /** The times of all rows, by number; what comes later may lie in another array. */
  get allTimes(): Float64Array {
    return this.times;
  }

  /** The indexes of many rows' values in a column that all of them have. */
  indexesIn(column: number, rows: Int32Array): Int32Array {
    const values = this.columns[column]!;
    return values.rows === undefined ? rows : rows.map((row) => values.indexOf(row));
  }

  wholeBytes(row: number): Uint8Array {
    const { values } = this.whole;
    const index = this.whole.indexOf(row);
    return values.arena.subarray(values.startAt(index), values.endAt(index));
  }

  private get rowBytes(): number {
    return this.times.byteLength + 4 * this.series.byteLength;
  }

  private growRows(atLeast: number): void {
    this.account.bytes -= this.rowBytes;
    const rows = Math.max(this.times.length * 2, atLeast);
    const times = new Float64Array(rows);
    times.set(this.times);
    this.times = times;
    this.series = grownInt32(this.series, rows);
    this.shapes = grownInt32(this.shapes, rows);
    this.next = grownInt32(this.next, rows);
    this.previous = grownInt32(this.previous, rows);
    this.account.bytes += this.rowBytes;
  }

  private growSeries(atLeast: number): void {
    const before = this.heads.length;
    const length = Math.max(INITIAL_ROWS, before * 2, atLeast);
    this.heads = grownInt32(this.heads, length).fill(NO_ROW, before);
    this.tails = grownInt32(this.tails, length).fill(NO_ROW, before);
    this.account.bytes += (length - before) * 8;
  }
}

function picked(values: Int32Array, rows: Int32Array): Int32Array {
  const found = new Int32Array(rows.length);
  for (let i = 0; i < rows.length; i++) found[i] = values[rows[i]!]!;
  return found;
}

/** The rows of a batch whose shape passes, counted on from `first`. @param count how many there are */
function rowsOf(
  { shapeRuns, shapeRunRows }: BatchHead,
  first: number,
  count: number,
  isIn: (shape: number) => boolean,
): Int32Array {
  const rows = new Int32Array(count);
  let at = 0;
  for (let run = 0, row = first; run < shapeRuns.length; run++) {
    const end = row + shapeRunRows[run]!;
    if (isIn(shapeRuns[run]!)) { while (row < end) rows[at++] = row++; }
    row = end;
  }
  return rows;
}

/** Where the first element of that name starts in the document at `start`, or -1. */
function findElement(bytes: Uint8Array, start: number, name: string): number {
  return new RawDocument(bytes, start).find(name);
}
