/** Whole numbers as MongoDB writes them into answers. */
import { Int32 } from "../bson/mod.ts";

const MAX_INT32 = 2 ** 31 - 1;

/** An int32 where it fits, else an int64: what MongoDB's builders make of a size or a count. */
export function int64OrInt32(value: number): Int32 | bigint {
  const whole = Math.trunc(value);
  return Math.abs(whole) <= MAX_INT32 ? Int32.of(whole) : BigInt(whole);
}

/** An int64. */
export function int64(value: number): bigint {
  return BigInt(Math.trunc(value));
}
