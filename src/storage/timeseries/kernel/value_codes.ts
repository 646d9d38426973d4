/**
 * Numbers for the values of columns: rows with one number have one value, of one type and to the last bit (all NaNs are
 * one). 0 stands for no value. A value may have several numbers.
 *
 * Small numbers are looked up by themselves, texts of a page with a dictionary once a page, all else by its bytes.
 */
import { BYTES, type Column, sizeOfType, ValueType, viewOf } from "../../../column/mod.ts";
import { KeyTable } from "../key_table.ts";
import { type ColumnView, indexOfRow } from "./column_view.ts";

/** What a row without a value has. */
export const NO_VALUE = 0;
const UNKNOWN = -1;
/** So many numbers, or bytes behind them, are remembered. */
const MAX_CODES = 2 ** 16;
const MAX_CODE_BYTES = 2 ** 22;
/** Beside other numbers, that of −0. */
const NEGATIVE_ZERO = "-0";

export class ValueCodes {
  private count = 1;
  private readonly keys = new KeyTable();
  /** Of each key its number. */
  private readonly ofKeys: number[] = [];
  /** By type: the numbers of values that a double, or a word, says. */
  private readonly ofNumbers: (Map<number | string, number> | undefined)[] = [];
  /** Of the bytes that were looked at last. */
  private view: DataView | undefined;
  /** The dictionary that came last: of each of its values the number, or UNKNOWN. */
  private column: Column | undefined;
  private ofPlaces = new Int32Array(0);

  /** Above all numbers so far. */
  get end(): number {
    return this.count;
  }

  /** Whether so much is remembered that it is time for a new one. */
  get isFull(): boolean {
    return this.count > MAX_CODES || this.keys.valueBytes() > MAX_CODE_BYTES;
  }

  /** Puts the numbers of the rows `[from, to)`, or of those that `rows[from, to)` name, into `out`, from 0 on. */
  read(
    view: ColumnView,
    rows: Int32Array | undefined,
    from: number,
    to: number,
    out: Int32Array,
  ): void {
    const { column, numbers } = view;
    if (numbers === undefined && column?.width === BYTES) {
      this.readBytes(view, column, rows, from, to, out);
      return;
    }
    const types = column?.types;
    for (let k = from; k < to; k++) {
      const index = indexOfRow(view, rows === undefined ? k : rows[k]!);
      if (index < 0) out[k - from] = NO_VALUE;
      else if (numbers === undefined) out[k - from] = this.ofFixed(column!, index);
      else out[k - from] = this.ofNumber(types === undefined ? view.type : types[index]!, numbers[index]!);
    }
  }

  private readBytes(
    view: ColumnView,
    column: Column,
    rows: Int32Array | undefined,
    from: number,
    to: number,
    out: Int32Array,
  ): void {
    const { dictionary } = column;
    if (dictionary === undefined) {
      for (let k = from; k < to; k++) {
        const index = indexOfRow(view, rows === undefined ? k : rows[k]!);
        out[k - from] = index < 0 ? NO_VALUE : this.ofCell(column, index);
      }
      return;
    }
    if (column !== this.column) {
      this.column = column;
      this.ofPlaces = new Int32Array(dictionary.distinct).fill(UNKNOWN);
    }
    const { ofPlaces } = this;
    const { places } = dictionary;
    if (rows === undefined && view.places === undefined) {
      this.readPlaces(column, places, from, to, out);
      return;
    }
    for (let k = from; k < to; k++) {
      const index = indexOfRow(view, rows === undefined ? k : rows[k]!);
      if (index < 0) {
        out[k - from] = NO_VALUE;
        continue;
      }
      const code = ofPlaces[places[index]!]!;
      out[k - from] = code === UNKNOWN ? this.ofPlace(column, index) : code;
    }
  }

  /** As `readBytes`, of neighbouring rows that have a value each. */
  private readPlaces(column: Column, places: Uint16Array, from: number, to: number, out: Int32Array): void {
    const { ofPlaces } = this;
    for (let k = from; k < to; k++) {
      const code = ofPlaces[places[k]!]!;
      out[k - from] = code === UNKNOWN ? this.ofPlace(column, k) : code;
    }
  }

  private ofPlace(column: Column, index: number): number {
    const code = this.ofCell(column, index);
    this.ofPlaces[column.dictionary!.places[index]!] = code;
    return code;
  }

  private ofCell(column: Column, index: number): number {
    this.view = viewOf(column.arena, this.view);
    return this.ofBytes(column.typeAt(index), this.view, column.startAt(index), column.endAt(index));
  }

  private ofNumber(type: number, value: number): number {
    const known = this.ofNumbers[type] ??= new Map();
    const key = value === 0 && Object.is(value, -0) ? NEGATIVE_ZERO : value;
    let code = known.get(key);
    if (code === undefined) known.set(key, code = this.count++);
    return code;
  }

  private ofFixed(column: Column, index: number): number {
    const type = column.typeAt(index);
    const { words, width } = column;
    if (width < 2) return this.ofNumber(type, width === 0 ? 0 : words[index]!);
    if (type === ValueType.Double) return this.ofNumber(type, column.doubles[index]!);
    const start = index * width * 4;
    this.view = viewOf(words, this.view);
    return this.ofBytes(type, this.view, start, start + sizeOfType(type));
  }

  private ofBytes(type: number, bytes: DataView, start: number, end: number): number {
    const key = this.keys.numberOf(type, bytes, start, end);
    if (key === this.ofKeys.length) this.ofKeys.push(this.count++);
    return this.ofKeys[key]!;
  }
}
