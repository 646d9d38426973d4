/**
 * What is known of a page without reading it. Minimum, maximum and sum are over its int32, int64, double and date values
 * as doubles; int64 and dates beyond ±2⁵³ are rounded, and `isExact` is false then. NaN counts but has no part in them.
 */
import type { Column } from "./column.ts";
import { BYTES, typeBit, ValueType } from "./value_type.ts";

export interface PageStatistics {
  readonly count: number;
  readonly nulls: number;
  /** The types that occur, as `typeBit`s. */
  readonly typeSet: number;
  readonly nans: number;
  /** Infinity when no value is a number or a date. */
  readonly min: number;
  /** −Infinity when no value is a number or a date. */
  readonly max: number;
  /** The sum as the unevaluated sum of two doubles (Dekker's two-sum), in the order of the rows. */
  readonly sum: number;
  readonly sumRest: number;
  readonly isExact: boolean;
}

export function statisticsOf(column: Column): PageStatistics {
  if (column.types === undefined && column.type === ValueType.Int32) return int32Statistics(column);
  const result = {
    count: column.length,
    nulls: 0,
    typeSet: 0,
    nans: 0,
    min: Infinity,
    max: -Infinity,
    sum: 0,
    sumRest: 0,
    isExact: true,
  };
  for (let i = 0; i < column.length; i++) {
    const type = column.typeAt(i);
    result.typeSet |= typeBit(type);
    if (type === ValueType.Null) result.nulls++;
    else if (isSummed(type) && column.width !== BYTES) addNumber(result, numberAt(column, type, i));
    else if (isSummed(type)) result.isExact = false;
  }
  if (!result.isExact && column.width === BYTES) {
    // Numbers beside texts lie as bytes: bounds that exclude nothing.
    result.min = -Infinity;
    result.max = Infinity;
  }
  return result;
}

/** Of a column of int32 alone, whose sum is exact: no page has 2²¹ values. */
function int32Statistics({ words, length }: Column): PageStatistics {
  let min = Infinity;
  let max = -Infinity;
  let sum = 0;
  for (let i = 0; i < length; i++) {
    const value = words[i]!;
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value;
  }
  const typeSet = length === 0 ? 0 : typeBit(ValueType.Int32);
  return { count: length, nulls: 0, typeSet, nans: 0, min, max, sum, sumRest: 0, isExact: true };
}

type Growing = { -readonly [K in keyof PageStatistics]: PageStatistics[K] };

function isSummed(type: number): boolean {
  return type === ValueType.Double || type === ValueType.Int32 || type === ValueType.Int64 ||
    type === ValueType.Date;
}

function numberAt(column: Column, type: number, index: number): number {
  const at = index * column.width;
  if (type === ValueType.Int32) return column.words[at]!;
  if (type === ValueType.Double) return column.doubles[index]!;
  return column.words[at + 1]! * 4294967296 + (column.words[at]! >>> 0);
}

function addNumber(result: Growing, value: number): void {
  if (Number.isNaN(value)) {
    result.nans++;
    return;
  }
  if (value < result.min) result.min = value;
  if (value > result.max) result.max = value;
  if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) result.isExact = false;
  const sum = result.sum + value;
  const rounded = sum - result.sum;
  result.sumRest += (result.sum - (sum - rounded)) + (value - rounded);
  result.sum = sum;
}
