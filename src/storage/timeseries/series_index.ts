/**
 * The series of one table: canonical meta bytes ↔ series number, numbers given in order of arrival from 0.
 *
 *     series s      type types[s] (0: no metaField), value arena[ends[s − 1], ends[s]) as BSON has it
 *     table         open addressing with linear probing, at most half full: number + 1, 0 for a free slot
 *
 * Measurements of many hosts come in turn, so each series remembers which one followed it last time: comparing bytes
 * with that one is all the work of a usual row, and hashing happens only when it was another.
 */
import { type BsonType, type BsonWriter, RawDocument, readValue, type Value } from "../../bson/mod.ts";
import { copyBytes, grownInt32, viewOf } from "../../column/mod.ts";
import { MetaDocument } from "./meta_document.ts";

const INITIAL_SERIES = 8;
const INITIAL_ARENA_BYTES = 256;
/** Metas kept decoded for the rows of their series; a power of two. */
const SHARED_METAS = 1024;

export class SeriesIndex {
  /** Series so far. */
  size = 0;
  private types = new Uint8Array(INITIAL_SERIES);
  private ends: Int32Array = new Int32Array(INITIAL_SERIES);
  private followers: Int32Array = new Int32Array(INITIAL_SERIES);
  private hashes: Int32Array = new Int32Array(INITIAL_SERIES);
  private arena = new Uint8Array(INITIAL_ARENA_BYTES);
  private view = viewOf(this.arena);
  private slots: Int32Array = new Int32Array(INITIAL_SERIES * 2);
  private last = 0;
  /** What `sharedMetaOf` gave last in each slot, and for which series. */
  private readonly sharedMetas: Value[] = [];
  private readonly sharedSeries = new Int32Array(SHARED_METAS).fill(-1);

  /** Bytes that the index holds. */
  get memoryBytes(): number {
    return this.arena.length + this.slots.byteLength + this.types.length * 13;
  }

  /** Bytes of the metas themselves, up to series `count`. */
  metaBytes(count = this.size): number {
    return count === 0 ? 0 : this.ends[count - 1]!;
  }

  /**
   * The number of a series, given a new one if need be.
   *
   * @param type the type byte of its meta, 0 without one
   * @param source where the bytes `[start, end)` are the value, canonical
   */
  numberOf(type: number, source: DataView, start: number, end: number): number {
    if (this.size > 0) {
      const guess = this.followers[this.last]!;
      if (this.isSame(guess, type, source, start, end)) return this.last = guess;
    }
    const found = this.findOrAdd(type, source, start, end);
    this.followers[this.last] = found;
    return this.last = found;
  }

  /** The number of a series, or -1. */
  find(type: number, source: DataView, start: number, end: number): number {
    const hash = hashOf(type, source, start, end);
    return this.slots[this.slotOf(hash, type, source, start, end)]! - 1;
  }

  typeOf(series: number): number {
    return this.types[series]!;
  }

  /** The value's bytes, not copied; they never change. */
  bytesOf(series: number): Uint8Array {
    return this.arena.subarray(this.startOf(series), this.ends[series]!);
  }

  /** The meta; undefined for the series of the measurements without one. */
  metaOf(series: number): Value {
    const type = this.types[series]!;
    return type === 0 ? undefined : readValue(this.arena, type as BsonType, this.startOf(series));
  }

  /**
   * As `metaOf`; of a series whose rows are being read, again and again the same value, its fields decoded once. What
   * `metaOf` gives is cheaper for one look at each of many series.
   */
  sharedMetaOf(series: number): Value {
    const slot = series & (SHARED_METAS - 1);
    if (this.sharedSeries[slot] !== series) {
      const meta = this.metaOf(series);
      this.sharedMetas[slot] = meta instanceof RawDocument ? new MetaDocument(meta) : meta;
      this.sharedSeries[slot] = series;
    }
    return this.sharedMetas[slot];
  }

  /** Writes the value's bytes, without type and name. */
  writeTo(series: number, writer: BsonWriter): void {
    writer.bytes(this.arena, this.startOf(series), this.ends[series]!);
  }

  private startOf(series: number): number {
    return series === 0 ? 0 : this.ends[series - 1]!;
  }

  private findOrAdd(type: number, source: DataView, start: number, end: number): number {
    const hash = hashOf(type, source, start, end);
    const slot = this.slotOf(hash, type, source, start, end);
    if (this.slots[slot]! > 0) return this.slots[slot]! - 1;
    const series = this.size++;
    if (series === this.types.length) this.grow();
    const at = this.startOf(series);
    if (at + end - start > this.arena.length) this.growArena(at + end - start);
    copyBytes(source, start, end, this.arena, at);
    this.types[series] = type;
    this.ends[series] = at + end - start;
    this.hashes[series] = hash;
    this.slots[slot] = series + 1;
    if (this.size * 2 > this.slots.length) this.rehash();
    return series;
  }

  /** Where the series stands, or the free slot where it belongs. */
  private slotOf(hash: number, type: number, source: DataView, start: number, end: number): number {
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    for (; this.slots[slot]! > 0; slot = (slot + 1) & mask) {
      const series = this.slots[slot]! - 1;
      if (this.hashes[series] === hash && this.isSame(series, type, source, start, end)) return slot;
    }
    return slot;
  }

  private isSame(series: number, type: number, source: DataView, start: number, end: number): boolean {
    const { view } = this;
    let at = this.startOf(series);
    if (this.types[series] !== type || this.ends[series]! - at !== end - start) return false;
    let i = start;
    for (; i + 4 <= end; i += 4, at += 4) {
      if (source.getInt32(i, true) !== view.getInt32(at, true)) return false;
    }
    for (; i < end; i++) if (source.getUint8(i) !== view.getUint8(at++)) return false;
    return true;
  }

  private grow(): void {
    const length = this.types.length * 2;
    const types = new Uint8Array(length);
    types.set(this.types);
    this.types = types;
    this.ends = grownInt32(this.ends, length);
    this.followers = grownInt32(this.followers, length);
    this.hashes = grownInt32(this.hashes, length);
  }

  private growArena(atLeast: number): void {
    const arena = new Uint8Array(Math.max(this.arena.length * 2, atLeast));
    arena.set(this.arena);
    this.arena = arena;
    this.view = viewOf(arena);
  }

  private rehash(): void {
    this.slots = new Int32Array(this.slots.length * 2);
    const mask = this.slots.length - 1;
    for (let series = 0; series < this.size; series++) {
      let slot = this.hashes[series]! & mask;
      while (this.slots[slot]! > 0) slot = (slot + 1) & mask;
      this.slots[slot] = series + 1;
    }
  }
}

/** A multiplicative hash over words of four bytes, its bits mixed at the end (the finalizer of MurmurHash3). */
function hashOf(type: number, source: DataView, start: number, end: number): number {
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
