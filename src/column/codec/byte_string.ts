/**
 * Values that are bytes of any length:
 *
 *     mode 0  plain       integer.ts over the lengths | compression.ts over the bytes
 *     mode 1  dictionary  varint distinct | plain of the distinct values | integer.ts over the places in it
 *
 * A dictionary is made where at most half of the values are distinct; it keeps the order of first appearance.
 */
import { assert, PAGE_ROWS } from "../../base/mod.ts";
import type { ByteReader, ByteWriter } from "../byte_buffer.ts";
import type { Dictionary } from "../column.ts";
import * as compression from "./compression.ts";
import type { Effort } from "./effort.ts";
import * as integer from "./integer.ts";

const PLAIN = 0;
const DICTIONARY = 1;
/** A larger dictionary, which no page of a table has, is no column's. */
const MAX_PLACES = 65_536;

/** Writes `count` values; value i is `arena[ends[i - 1], ends[i])`. */
export function encode(
  arena: Uint8Array,
  ends: Int32Array,
  count: number,
  out: ByteWriter,
  effort: Effort = "small",
): void {
  const places = new Float64Array(count);
  const distinct = findDistinct(arena, ends, count, places);
  if (distinct === undefined) {
    out.byte(PLAIN);
    encodePlain(arena, ends, count, out, effort);
    return;
  }
  const lengths = distinct.map((index) => ends[index]! - startOf(ends, index));
  const distinctEnds = new Int32Array(distinct.length);
  for (let i = 0, end = 0; i < distinct.length; i++) distinctEnds[i] = end += lengths[i]!;
  const bytes = new Uint8Array(distinctEnds[distinct.length - 1] ?? 0);
  distinct.forEach((index, i) =>
    bytes.set(arena.subarray(startOf(ends, index), ends[index]!), startOf(distinctEnds, i))
  );
  out.byte(DICTIONARY);
  out.varint(distinct.length);
  encodePlain(bytes, distinctEnds, distinct.length, out, effort);
  integer.encode(places, count, out, effort);
}

/** Places on their way into a narrower array. */
let decoded = new Int32Array(PAGE_ROWS);

/** Reads `count` values, as a column has them. The arena may be a view of the reader's bytes where there is no dictionary. */
export function decode(
  reader: ByteReader,
  count: number,
): { arena: Uint8Array; ends: Int32Array; dictionary?: Dictionary } {
  const mode = reader.byte();
  if (mode === PLAIN) return decodePlain(reader, count);
  assert(mode === DICTIONARY, `byte string mode ${mode} is known`);
  const distinct = reader.varint();
  const { arena, ends } = decodePlain(reader, distinct);
  if (decoded.length < count) decoded = new Int32Array(count);
  integer.decodeInt32s(reader, count, decoded);
  if (distinct > MAX_PLACES) return spread(arena, ends, decoded.subarray(0, count));
  const places = new Uint16Array(count);
  for (let i = 0; i < count; i++) places[i] = decoded[i]!;
  // A few bytes must not keep all that was read with them.
  const own = arena.length < arena.buffer.byteLength ? arena.slice() : arena;
  return { arena: own, ends, dictionary: { places, distinct } };
}

/** The value at each of the places, one behind the other. */
function spread(
  arena: Uint8Array,
  ends: Int32Array,
  places: Int32Array,
): { arena: Uint8Array; ends: Int32Array } {
  let end = 0;
  const spreadEnds = places.map((place) => end += ends[place]! - startOf(ends, place));
  const all = new Uint8Array(end);
  places.forEach((place, i) => {
    all.set(arena.subarray(startOf(ends, place), ends[place]!), startOf(spreadEnds, i));
  });
  return { arena: all, ends: spreadEnds };
}

function encodePlain(
  arena: Uint8Array,
  ends: Int32Array,
  count: number,
  out: ByteWriter,
  effort: Effort,
): void {
  const lengths = new Float64Array(count);
  for (let i = 0; i < count; i++) lengths[i] = ends[i]! - startOf(ends, i);
  integer.encode(lengths, count, out, effort);
  compression.encode(arena.subarray(0, count === 0 ? 0 : ends[count - 1]!), out);
}

function decodePlain(reader: ByteReader, count: number): { arena: Uint8Array; ends: Int32Array } {
  const ends = new Int32Array(count);
  integer.decodeInt32s(reader, count, ends);
  for (let i = 1; i < count; i++) ends[i] = ends[i]! + ends[i - 1]!;
  const arena = compression.decode(reader);
  assert(arena.length === (ends[count - 1] ?? 0), "the lengths of byte strings add up to their bytes");
  return { arena, ends };
}

/** The first index of each distinct value, and for every value its place among them; undefined when too many differ. */
function findDistinct(
  arena: Uint8Array,
  ends: Int32Array,
  count: number,
  places: Float64Array,
): number[] | undefined {
  const limit = count >> 1;
  const distinct: number[] = [];
  let slots = 16;
  while (slots < count) slots *= 2;
  const table = new Int32Array(slots).fill(-1);
  for (let i = 0; i < count; i++) {
    const start = startOf(ends, i);
    let slot = hash(arena, start, ends[i]!) & (slots - 1);
    while (table[slot]! >= 0 && !isSame(arena, ends, distinct[table[slot]!]!, start, ends[i]!)) {
      slot = (slot + 1) & (slots - 1);
    }
    if (table[slot]! < 0) {
      if (distinct.length >= limit) return undefined;
      table[slot] = distinct.push(i) - 1;
    }
    places[i] = table[slot]!;
  }
  return distinct;
}

function isSame(arena: Uint8Array, ends: Int32Array, index: number, start: number, end: number): boolean {
  const other = startOf(ends, index);
  if (ends[index]! - other !== end - start) return false;
  for (let i = start, k = other; i < end; i++, k++) if (arena[i] !== arena[k]) return false;
  return true;
}

/** FNV-1a. */
function hash(bytes: Uint8Array, start: number, end: number): number {
  let value = 0x811c9dc5;
  for (let i = start; i < end; i++) value = Math.imul(value ^ bytes[i]!, 0x01000193);
  return value ^ (value >>> 15);
}

function startOf(ends: Int32Array, index: number): number {
  return index === 0 ? 0 : ends[index - 1]!;
}
