/**
 * A column as kernels read it: where all its values are numbers (or dates) that doubles hold exactly, one array of them.
 * Other columns are read value by value.
 */
import { UtcDate, type Value } from "../../../bson/mod.ts";
import { BYTES, type Column, MIXED, NO_TYPE, type PageStatistics, ValueType } from "../../../column/mod.ts";
import { valueAt } from "../cell.ts";

export type NumberArray = Int8Array | Int16Array | Int32Array | Float64Array;

export interface ColumnView {
  /** The type of all values, `MIXED`, or `NO_TYPE` when there are none. */
  readonly type: number;
  /** Int32, int64 within ±2⁵³, doubles, dates, or int32 among doubles; undefined for a column of anything else. */
  readonly numbers: NumberArray | undefined;
  /** Undefined for the times of the rows. */
  readonly column: Column | undefined;
  /** How many values stand before each row and before the end; undefined when each row has one. */
  readonly places: Int32Array | undefined;
  /** What `comparableNumbers` made of a column of several types. */
  compared?: { readonly numbers: Float64Array | undefined };
}

export const NO_VALUES: ColumnView = {
  type: NO_TYPE,
  numbers: new Int32Array(0),
  column: undefined,
  places: undefined,
};

const TWO_32 = 4294967296;
/** High words of the numbers within ±2⁵³. */
const HIGH_LIMIT = 2 ** 21;

/** @param count values from here on are not looked at */
export function viewOf(column: Column, places: Int32Array | undefined, count: number): ColumnView {
  return { type: column.type, numbers: numbersOf(column, count), column, places };
}

/** The times of rows as a column of dates. */
export function viewOfTimes(times: Float64Array): ColumnView {
  return { type: ValueType.Date, numbers: times, column: undefined, places: undefined };
}

function numbersOf(column: Column, count: number): NumberArray | undefined {
  if (column.width === BYTES) return undefined;
  if (column.types !== undefined) return int32sAndDoubles(column, column.types, count);
  switch (column.type) {
    case ValueType.Int32:
      return column.words;
    case ValueType.Double:
      return column.doubles;
    case ValueType.Int64:
    case ValueType.Date:
      return wholeNumbers(column.wideWords, count);
    default:
      return undefined;
  }
}

/**
 * The values as they compare with a number: NaN, which passes no comparison, stands for what is none. Undefined where doubles
 * cannot say it.
 */
export function comparableNumbers(view: ColumnView): NumberArray | undefined {
  const { column, numbers, type } = view;
  if (numbers !== undefined) return type === ValueType.Date ? undefined : numbers;
  if (column === undefined || type !== MIXED || column.width === BYTES || column.width > 2) return undefined;
  return (view.compared ??= { numbers: mixedNumbers(column) }).numbers;
}

/** Undefined where one is an int64 beyond ±2⁵³. */
function mixedNumbers(column: Column): Float64Array | undefined {
  const { length, types, width, words } = column;
  const numbers = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    switch (types![i]) {
      case ValueType.Int32:
        numbers[i] = words[i * width]!;
        break;
      case ValueType.Double:
        numbers[i] = column.doubles[i]!;
        break;
      case ValueType.Int64: {
        const high = words[i * width + 1]!;
        if (high < -HIGH_LIMIT || high >= HIGH_LIMIT) return undefined;
        numbers[i] = high * TWO_32 + (words[i * width]! >>> 0);
        break;
      }
      default:
        numbers[i] = NaN;
    }
  }
  return numbers;
}

/** Undefined when there is anything else. */
function int32sAndDoubles(column: Column, types: Uint8Array, count: number): Float64Array | undefined {
  const { width, words } = column;
  if (width !== 2) return undefined;
  const { doubles } = column;
  const numbers = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    if (types[i] === ValueType.Double) numbers[i] = doubles[i]!;
    else if (types[i] === ValueType.Int32) numbers[i] = words[2 * i]!;
    else return undefined;
  }
  return numbers;
}

/** Of the values `[from, to)`, or of those that `indexes` name, the first place that is a double's; `to` for none. */
export function firstDouble(
  types: Uint8Array,
  indexes: Int32Array | undefined,
  from: number,
  to: number,
): number {
  let k = from;
  while (k < to && types[indexes === undefined ? k : indexes[k]!] !== ValueType.Double) k++;
  return k;
}

/** Pairs of words as numbers; undefined when one is beyond ±2⁵³. */
function wholeNumbers(words: Int32Array, count: number): Float64Array | undefined {
  const numbers = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const high = words[2 * i + 1]!;
    if (high < -HIGH_LIMIT || high >= HIGH_LIMIT) return undefined;
    numbers[i] = high * TWO_32 + (words[2 * i]! >>> 0);
  }
  return numbers;
}

/** Value `index` of a view. */
export function valueOf(view: ColumnView, index: number): Value {
  return view.column === undefined ? new UtcDate(view.numbers![index]!) : valueAt(view.column, index);
}

/** Of the row, where its value stands; -1 when it has none. */
export function indexOfRow(view: ColumnView, row: number): number {
  const { places } = view;
  if (view.type === NO_TYPE) return -1;
  if (places === undefined) return row;
  return places[row] === places[row + 1] ? -1 : places[row]!;
}

/** Values of a view: `[from, to)`, or those that `indexes[from, to)` name. */
export interface Located {
  indexes: Int32Array | undefined;
  from: number;
  to: number;
}

let scratch = new Int32Array(4096);

/** Where the values of rows stand; those without one are left out. Good until the next call. */
export function locate(
  view: ColumnView,
  rows: Int32Array | undefined,
  from: number,
  to: number,
  out: Located,
): void {
  const { places } = view;
  out.indexes = rows;
  out.from = from;
  out.to = to;
  if (view.type === NO_TYPE) {
    out.to = from;
  } else if (places !== undefined && rows === undefined) {
    out.from = places[from]!;
    out.to = places[to]!;
  } else if (places !== undefined && rows !== undefined) {
    if (scratch.length < to - from) scratch = new Int32Array(to - from);
    out.indexes = scratch;
    out.from = 0;
    out.to = indexesOf(places, rows, from, to, scratch);
  }
}

function indexesOf(places: Int32Array, rows: Int32Array, from: number, to: number, out: Int32Array): number {
  let count = 0;
  for (let k = from; k < to; k++) {
    const row = rows[k]!;
    if (places[row] !== places[row + 1]) out[count++] = places[row]!;
  }
  return count;
}

/** The pages that statistics stand for: all values are numbers of one type, none is NaN, and the sums are exact. */
export function isExactPageOf(page: PageStatistics, type: number): boolean {
  return page.typeSet === 1 << type && page.nans === 0 && page.isExact;
}
