/**
 * The loops over neighbouring values, once for each kind of array: the engine makes good code only of a loop that always
 * sees the same. Integers of 16 bits add up in int32, in stretches that cannot overflow; four sums at a time do not wait
 * for each other. Bytes have loops of their own (byte_lanes.ts).
 */
import { assert } from "../../../base/mod.ts";
import { maximumOfBytes, minimumOfBytes, sumOfBytes } from "./byte_lanes.ts";
import type { ColumnView } from "./column_view.ts";
import type { Runs } from "./run_batch.ts";

/** 2¹⁵ values of 2¹⁵ each stay below 2³¹. */
const STRETCH = 32_768;

/** Of the numbers `[from, to)` of a view the exact sum of integers; the plain sum of doubles. */
export function sumOf({ numbers, column }: ColumnView, from: number, to: number): number {
  assert(numbers !== undefined, "only numbers are added up");
  if (numbers instanceof Int8Array) return sumOfBytes(numbers, column!.fours, from, to);
  if (numbers instanceof Int16Array) return inStretches(numbers, from, to);
  return numbers instanceof Int32Array ? sumInt32(numbers, from, to) : sumDoubles(numbers, from, to);
}

/** As `sumOf`, of each of the runs. */
export function sumsOf(view: ColumnView, { starts, ends, count }: Runs, out: Float64Array): void {
  const { numbers, column } = view;
  if (numbers instanceof Int8Array) {
    const words = column!.fours;
    for (let i = 0; i < count; i++) out[i] = sumOfBytes(numbers, words, starts[i]!, ends[i]!);
  } else {
    for (let i = 0; i < count; i++) out[i] = sumOf(view, starts[i]!, ends[i]!);
  }
}

function inStretches(numbers: Int16Array, from: number, to: number): number {
  if (to - from <= STRETCH) return sumInt16(numbers, from, to);
  let total = 0;
  for (let at = from; at < to; at += STRETCH) total += sumInt16(numbers, at, Math.min(to, at + STRETCH));
  return total;
}

function sumInt16(numbers: Int16Array, from: number, to: number): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  let i = from;
  for (; i + 3 < to; i += 4) {
    a = (a + numbers[i]!) | 0;
    b = (b + numbers[i + 1]!) | 0;
    c = (c + numbers[i + 2]!) | 0;
    d = (d + numbers[i + 3]!) | 0;
  }
  for (; i < to; i++) a = (a + numbers[i]!) | 0;
  return a + b + c + d;
}

function sumInt32(numbers: Int32Array, from: number, to: number): number {
  let a = 0;
  let b = 0;
  let i = from;
  for (; i + 1 < to; i += 2) {
    a += numbers[i]!;
    b += numbers[i + 1]!;
  }
  return i < to ? a + b + numbers[i]! : a + b;
}

function sumDoubles(numbers: Float64Array, from: number, to: number): number {
  let total = 0;
  for (let i = from; i < to; i++) total += numbers[i]!;
  return total;
}

/** The greatest of the numbers `[from, to)` of a view, at least one; NaN stands below all numbers, and of equal ones the first counts. */
export function maximumOf({ numbers, column }: ColumnView, from: number, to: number): number {
  assert(numbers !== undefined, "only numbers are compared");
  if (numbers instanceof Int8Array) return maximumOfBytes(numbers, column!.fours, from, to);
  if (numbers instanceof Int16Array) return maximumInt16(numbers, from, to);
  return numbers instanceof Int32Array ? maximumInt32(numbers, from, to) : maximumDouble(numbers, from, to);
}

/** As `maximumOf`, of each of the runs. */
export function maximaOf(view: ColumnView, { starts, ends, count }: Runs, out: Float64Array): void {
  const { numbers, column } = view;
  if (numbers instanceof Int8Array) {
    const words = column!.fours;
    for (let i = 0; i < count; i++) out[i] = maximumOfBytes(numbers, words, starts[i]!, ends[i]!);
  } else {
    for (let i = 0; i < count; i++) out[i] = maximumOf(view, starts[i]!, ends[i]!);
  }
}

function maximumInt16(numbers: Int16Array, from: number, to: number): number {
  let best = numbers[from]!;
  for (let i = from + 1; i < to; i++) if (numbers[i]! > best) best = numbers[i]!;
  return best;
}

function maximumInt32(numbers: Int32Array, from: number, to: number): number {
  let best = numbers[from]!;
  for (let i = from + 1; i < to; i++) if (numbers[i]! > best) best = numbers[i]!;
  return best;
}

function maximumDouble(numbers: Float64Array, from: number, to: number): number {
  let best = numbers[from]!;
  for (let i = from + 1; i < to; i++) {
    const value = numbers[i]!;
    if (value > best || best !== best) best = value;
  }
  return best;
}

/** The least of at least one value, by the same order. */
export function minimumOf({ numbers, column }: ColumnView, from: number, to: number): number {
  assert(numbers !== undefined, "only numbers are compared");
  if (numbers instanceof Int8Array) return minimumOfBytes(numbers, column!.fours, from, to);
  if (numbers instanceof Int16Array) return minimumInt16(numbers, from, to);
  return numbers instanceof Int32Array ? minimumInt32(numbers, from, to) : minimumDouble(numbers, from, to);
}

/** As `minimumOf`, of each of the runs. */
export function minimaOf(view: ColumnView, { starts, ends, count }: Runs, out: Float64Array): void {
  const { numbers, column } = view;
  if (numbers instanceof Int8Array) {
    const words = column!.fours;
    for (let i = 0; i < count; i++) out[i] = minimumOfBytes(numbers, words, starts[i]!, ends[i]!);
  } else {
    for (let i = 0; i < count; i++) out[i] = minimumOf(view, starts[i]!, ends[i]!);
  }
}

function minimumInt16(numbers: Int16Array, from: number, to: number): number {
  let best = numbers[from]!;
  for (let i = from + 1; i < to; i++) if (numbers[i]! < best) best = numbers[i]!;
  return best;
}

function minimumInt32(numbers: Int32Array, from: number, to: number): number {
  let best = numbers[from]!;
  for (let i = from + 1; i < to; i++) if (numbers[i]! < best) best = numbers[i]!;
  return best;
}

function minimumDouble(numbers: Float64Array, from: number, to: number): number {
  let best = numbers[from]!;
  for (let i = from + 1; i < to; i++) {
    const value = numbers[i]!;
    if (value < best) best = value;
    else if (value !== value) return value;
  }
  return best;
}
