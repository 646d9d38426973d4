/**
 * Values as bytes ↔ numbers, given in order of arrival from 0: the metas of series, the keys of an index on them.
 *
 *     key k         type types[k], value arena[ends[k − 1], ends[k])
 *     slots         open addressing with linear probing, at most half full: number + 1, 0 for a free slot
 *
 * Keys mostly come in turn, as the measurements of many hosts do, so each remembers which one followed it last time:
 * comparing bytes with that one is all the work of a usual look, and hashing happens only when it was another. Where they
 * come in no order, that is tried now and then only: to look at another key for nothing costs as much as to find the right one.
 *
 * An empty table holds next to nothing, and a large one some 25 bytes a key beside the values.
 */
import { assert } from "../../base/mod.ts";
import { copyBytes, grownInt32, viewOf } from "../../column/mod.ts";

const INITIAL_KEYS = 4;
const INITIAL_ARENA_BYTES = 32;
const NO_BYTES = new Uint8Array(0);
const NO_NUMBERS: Int32Array = new Int32Array(0);
const NO_VIEW = viewOf(NO_BYTES);
/** After so many more failures than hits the follower is tried at one look in some, a power of two. */
const MAX_LUCK = 32;
const LOOKS_A_TRY = 16;

export class KeyTable {
  /** Keys so far. */
  size = 0;
  private types: Uint8Array = NO_BYTES;
  private ends = NO_NUMBERS;
  private followers = NO_NUMBERS;
  private hashes = NO_NUMBERS;
  private arena: Uint8Array = NO_BYTES;
  private view = NO_VIEW;
  private slots = NO_NUMBERS;
  private last = 0;
  private luck = MAX_LUCK;
  private looks = 0;

  /** Bytes that the table holds. */
  get memoryBytes(): number {
    return this.arena.length + this.slots.byteLength + this.types.length * 13;
  }

  /** Bytes of the values themselves, up to key `count`. */
  valueBytes(count = this.size): number {
    return count === 0 ? 0 : this.ends[count - 1]!;
  }

  /**
   * The number of a key, given a new one if need be.
   *
   * @param type keys of different types are different
   * @param source where the bytes `[start, end)` are the value
   */
  numberOf(type: number, source: DataView, start: number, end: number): number {
    const known = this.known(type, source, start, end);
    return known >= 0 ? known : this.add(type, source, start, end);
  }

  /** As `numberOf`, but -1 for a key that is not here. */
  known(type: number, source: DataView, start: number, end: number): number {
    if (this.size === 0) return -1;
    const tries = this.luck > 0 || (this.looks++ & (LOOKS_A_TRY - 1)) === 0;
    if (tries) {
      const guess = this.followers[this.last]!;
      if (this.isSame(guess, type, source, start, end)) {
        if (this.luck < MAX_LUCK) this.luck++;
        return this.last = guess;
      }
    }
    const found = this.find(type, source, start, end);
    if (found < 0) return -1;
    if (tries) {
      this.followers[this.last] = found;
      if (this.luck > 0) this.luck--;
    }
    return this.last = found;
  }

  /** The number of a key, or -1. */
  find(type: number, source: DataView, start: number, end: number): number {
    if (this.size === 0) return -1;
    const hash = hashOf(type, source, start, end);
    return this.slots[this.slotOf(hash, type, source, start, end)]! - 1;
  }

  typeOf(key: number): number {
    return this.types[key]!;
  }

  /** Where its value starts in the bytes of all. */
  startOf(key: number): number {
    return key === 0 ? 0 : this.ends[key - 1]!;
  }

  /** Where it ends there, exclusive. */
  endOf(key: number): number {
    return this.ends[key]!;
  }

  /** The values of all keys, until more are added. */
  get bytes(): Uint8Array {
    return this.arena;
  }

  /** Over `bytes`. */
  get bytesView(): DataView {
    return this.view;
  }

  /** The value's bytes, not copied; they never change. */
  bytesOf(key: number): Uint8Array {
    return this.arena.subarray(this.startOf(key), this.ends[key]!);
  }

  /** The order of a key's value and other bytes, byte by byte: below 0, 0, above 0. */
  compareTo(key: number, bytes: Uint8Array): number {
    const { arena } = this;
    const start = this.startOf(key);
    const length = this.ends[key]! - start;
    const shared = Math.min(length, bytes.length);
    for (let i = 0; i < shared; i++) {
      const order = arena[start + i]! - bytes[i]!;
      if (order !== 0) return order;
    }
    return length - bytes.length;
  }

  /**
   * Adds keys that are known to be new and different, in order: much faster than one by one.
   *
   * @param types of each key
   * @param lengths of each value, in bytes
   * @param bytes the values, one behind the other
   */
  addAll(types: Float64Array, lengths: Float64Array, bytes: Uint8Array): void {
    const first = this.size;
    this.reserve(first + types.length);
    const start = this.valueBytes();
    this.reserveArena(start + bytes.length);
    this.arena.set(bytes, start);
    const { view, ends, hashes, followers } = this;
    let at = start;
    for (let i = 0; i < types.length; i++) {
      const type = types[i]!;
      const end = at + lengths[i]!;
      this.types[first + i] = type;
      ends[first + i] = end;
      hashes[first + i] = hashOf(type, view, at, end);
      // As they arrived once, they may well come again.
      followers[first + i] = i + 1 < types.length ? first + i + 1 : 0;
      at = end;
    }
    assert(at === start + bytes.length, "the values are as long as their lengths say");
    this.size = first + types.length;
    if (this.size * 2 > this.slots.length) this.rehash();
    else this.fillSlots(first);
  }

  /** Adds a key that is not here. */
  private add(type: number, source: DataView, start: number, end: number): number {
    if (this.slots.length === 0) this.rehash();
    const hash = hashOf(type, source, start, end);
    const slot = this.slotOf(hash, type, source, start, end);
    const key = this.size;
    this.reserve(key + 1);
    const at = this.valueBytes();
    this.reserveArena(at + end - start);
    copyBytes(source, start, end, this.arena, at);
    this.types[key] = type;
    this.ends[key] = at + end - start;
    this.hashes[key] = hash;
    this.slots[slot] = key + 1;
    this.size = key + 1;
    if (this.size * 2 > this.slots.length) this.rehash();
    this.followers[this.last] = key;
    return this.last = key;
  }

  /** Where the key stands, or the free slot where it belongs. */
  private slotOf(hash: number, type: number, source: DataView, start: number, end: number): number {
    const { slots, hashes } = this;
    const mask = slots.length - 1;
    let slot = hash & mask;
    for (; slots[slot]! > 0; slot = (slot + 1) & mask) {
      const key = slots[slot]! - 1;
      if (hashes[key] === hash && this.isSame(key, type, source, start, end)) return slot;
    }
    return slot;
  }

  private isSame(key: number, type: number, source: DataView, start: number, end: number): boolean {
    const { view } = this;
    let at = this.startOf(key);
    if (this.types[key] !== type || this.ends[key]! - at !== end - start) return false;
    let i = start;
    for (; i + 16 <= end; i += 16, at += 16) {
      const differing = (source.getInt32(i, true) ^ view.getInt32(at, true)) |
        (source.getInt32(i + 4, true) ^ view.getInt32(at + 4, true)) |
        (source.getInt32(i + 8, true) ^ view.getInt32(at + 8, true)) |
        (source.getInt32(i + 12, true) ^ view.getInt32(at + 12, true));
      if (differing !== 0) return false;
    }
    for (; i + 4 <= end; i += 4, at += 4) {
      if (source.getInt32(i, true) !== view.getInt32(at, true)) return false;
    }
    for (; i < end; i++) if (source.getUint8(i) !== view.getUint8(at++)) return false;
    return true;
  }

  private reserve(keys: number): void {
    if (keys <= this.types.length) return;
    const length = Math.max(INITIAL_KEYS, this.types.length * 2, keys);
    const types = new Uint8Array(length);
    types.set(this.types);
    this.types = types;
    this.ends = grownInt32(this.ends, length);
    this.followers = grownInt32(this.followers, length);
    this.hashes = grownInt32(this.hashes, length);
  }

  private reserveArena(bytes: number): void {
    if (bytes <= this.arena.length) return;
    const arena = new Uint8Array(Math.max(INITIAL_ARENA_BYTES, this.arena.length * 2, bytes));
    arena.set(this.arena);
    this.arena = arena;
    this.view = viewOf(arena);
  }

  private rehash(): void {
    let length = Math.max(INITIAL_KEYS * 2, this.slots.length);
    while (length < this.size * 2) length *= 2;
    if (length === this.slots.length) length *= 2;
    this.slots = new Int32Array(length);
    this.fillSlots(0);
  }

  /** Gives all keys from `first` on, which have none, a slot. */
  private fillSlots(first: number): void {
    const { slots, hashes, size } = this;
    const mask = slots.length - 1;
    for (let key = first; key < size; key++) {
      let slot = hashes[key]! & mask;
      while (slots[slot]! > 0) slot = (slot + 1) & mask;
      slots[slot] = key + 1;
    }
  }
}

/** A multiplicative hash over words of four bytes, its bits mixed at the end (the finalizer of MurmurHash3). */
export function hashOf(type: number, source: DataView, start: number, end: number): number {
  let hash = type + 0x9e3779b9;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    hash = Math.imul(hash ^ source.getInt32(at, true), 0x85ebca6b);
    hash ^= hash >>> 15;
  }
  for (; at < end; at++) hash = Math.imul(hash ^ source.getUint8(at), 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
