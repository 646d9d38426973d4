/**
 * A column: values in order, each with its exact type.
 *
 *     all of one type     `type` says which; `types` is undefined
 *     mixed               `types[i]` is the type of value i
 *
 *     width 0…4           value i is words[i · width, (i + 1) · width): as wide as its widest type. Mixed types share a
 *                         column of words as long as each fits in two or has no content. Where the width is one, words
 *                         may lie in fewer bits (words.ts), until a value comes that does not fit.
 *     width BYTES         value i is arena[ends[i - 1], ends[i]): its BSON bytes, for strings the text alone
 *     … with a dictionary the same of places[i] in the place of i
 *
 * A column only grows, and one with a dictionary does not even that; values once in it keep their index. Doubles move as
 * words, so that every NaN keeps its bits.
 */
import { assert } from "../base/mod.ts";
import { MemoryAccount } from "./memory_account.ts";
import { BYTES, sizeOfType, wordsOfType } from "./value_type.ts";
import { bytesFor, gatheredWords, grownInt32, grownWords, type Words, zeroWords } from "./words.ts";

const INITIAL_VALUES = 4;
const INITIAL_ARENA_BYTES = 64;
/** What columns without a layout of that kind have, one for all: a table has many columns, and mostly few rows. */
const NO_WORDS = new Int32Array(0);
const NO_BYTES = new Uint8Array(0);
/** `Column.type` of a column without values. */
export const NO_TYPE = 0;
/** `Column.type` of a column whose values have several types. */
export const MIXED = -1;

/** What a column consists of. */
export type ColumnParts = Pick<Column, "type" | "types" | "width" | "words" | "ends" | "arena" | "length">;

/** Which of its `distinct` values each value of a column is, by their places among the column's bytes. */
export interface Dictionary {
  readonly places: Uint16Array;
  readonly distinct: number;
}

/** Of columns whose bytes nobody wants to know. */
const UNCOUNTED = new MemoryAccount();

export class Column {
  length = 0;
  /** The type of all values, `NO_TYPE` or `MIXED`. */
  type = NO_TYPE;
  types: Uint8Array | undefined;
  width = 0;
  words: Words = NO_WORDS;
  arena: Uint8Array = NO_BYTES;
  ends: Int32Array = NO_WORDS;
  /** Where values are there once for all that are the same; undefined where each is there by itself. */
  dictionary: Dictionary | undefined;
  private capacity = 0;
  private doubleView: Float64Array | undefined;
  private byteView: Uint8Array | undefined;
  private fourView: Int32Array | undefined;
  private foursOf: Words | undefined;
  private arenaViewCache: DataView | undefined;
  private wordViewCache: DataView | undefined;

  constructor(private readonly account = UNCOUNTED) {}

  /** A column of one fixed-size type over words that it takes over. */
  static ofWords(type: number, words: Words, length: number): Column {
    const column = new Column();
    column.type = type;
    column.width = wordsOfType(type);
    column.words = words;
    column.length = length;
    column.capacity = length;
    return column;
  }

  /** A column of one type of any length over bytes that it takes over. */
  static ofBytes(type: number, arena: Uint8Array, ends: Int32Array, dictionary?: Dictionary): Column {
    const column = new Column();
    column.type = type;
    column.width = BYTES;
    column.arena = arena;
    column.ends = ends;
    column.dictionary = dictionary;
    column.capacity = column.length = dictionary?.places.length ?? ends.length;
    return column;
  }

  /** A column over arrays that it takes over. */
  static over(parts: ColumnParts): Column {
    const column = new Column();
    Object.assign(column, parts);
    column.capacity = parts.length;
    return column;
  }

  /** The values of columns of one type each, in the order that `types`, which it takes over, says. */
  static interleaved(types: Uint8Array, parts: readonly Column[]): Column {
    const width = parts.reduce((sum, part) => widthTogether(sum, part.width), 0);
    const { length } = types;
    if (width !== BYTES) {
      const words = new Int32Array(width * length);
      for (const part of parts) spreadWords(part, types, words, width);
      return Column.over({ type: MIXED, types, width, words, ends: NO_WORDS, arena: NO_BYTES, length });
    }
    const column = new Column();
    const next = new Map(parts.map((part) => [part.type, { part, index: 0 }]));
    for (let i = 0; i < length; i++) {
      const from = next.get(types[i]!)!;
      column.appendFrom(from.part, from.index++);
    }
    return column;
  }

  /** A column of the values of another one at `indexes`, in their order. */
  static gather(source: Column, indexes: Int32Array): Column {
    const { width, words } = source;
    if (source.types !== undefined || width === BYTES) {
      const column = new Column();
      for (const index of indexes) column.appendFrom(source, index);
      return column;
    }
    return Column.ofWords(source.type, gatheredWords(words, indexes, width), indexes.length);
  }

  /** Bytes that the column's arrays hold. */
  get memoryBytes(): number {
    return this.words.byteLength + this.ends.byteLength + this.arena.byteLength +
      (this.types?.byteLength ?? 0) + (this.dictionary?.places.byteLength ?? 0);
  }

  /** The words as doubles; only for a width of two. */
  get doubles(): Float64Array {
    if (this.doubleView?.buffer !== this.words.buffer) {
      const { buffer, byteOffset, length } = this.words;
      this.doubleView = new Float64Array(buffer, byteOffset, length >> 1);
    }
    return this.doubleView;
  }

  /** The bytes of words of 8 bits, four at a time, as far as there are four; values must not be added meanwhile. */
  get fours(): Int32Array {
    const { words } = this;
    if (this.fourView === undefined || this.foursOf !== words) {
      this.fourView = new Int32Array(words.buffer, words.byteOffset, words.byteLength >> 2);
      this.foursOf = words;
    }
    return this.fourView;
  }

  /** The words in 32 bits each. */
  get wideWords(): Int32Array {
    return this.words instanceof Int32Array ? this.words : new Int32Array(this.words);
  }

  /** The words as bytes; only for a width of two and more. */
  get wordBytes(): Uint8Array {
    const { buffer, byteOffset, byteLength } = this.words;
    if (this.byteView?.buffer !== buffer) this.byteView = new Uint8Array(buffer, byteOffset, byteLength);
    return this.byteView;
  }

  typeAt(index: number): number {
    return this.types === undefined ? this.type : this.types[index]!;
  }

  /** Where value `index` starts in the arena, and where it ends; only for a width of `BYTES`. */
  startAt(index: number): number {
    const place = this.dictionary === undefined ? index : this.dictionary.places[index]!;
    return place === 0 ? 0 : this.ends[place - 1]!;
  }

  endAt(index: number): number {
    return this.ends[this.dictionary === undefined ? index : this.dictionary.places[index]!]!;
  }

  /**
   * Adds a value.
   *
   * @param type its type byte
   * @param source where the bytes `[start, end)` are the value as BSON has it; for a string the text alone
   */
  append(type: number, source: DataView, start: number, end: number): void {
    if (type !== this.type) this.admit(type);
    const index = this.length++;
    if (index === this.capacity) this.grow();
    if (this.types !== undefined) this.types[index] = type;
    const { words } = this;
    switch (this.width) {
      case 2: {
        const at = index << 1;
        words[at] = word(source, start, end);
        words[at + 1] = end - start > 4 ? source.getInt32(start + 4, true) : 0;
        return;
      }
      case 1: {
        const value = word(source, start, end);
        words[index] = value;
        if (words[index] !== value) this.widen(value, index);
        return;
      }
      case BYTES:
        this.appendBytes(index, source, start, end);
        return;
      default:
        for (let i = 0; i < this.width; i++) {
          words[index * this.width + i] = word(source, start + i * 4, end);
        }
    }
  }

  /** Takes the last value away. */
  dropLast(): void {
    this.length--;
  }

  /** Forgets all values; what was taken up for them is kept for the next ones. */
  clear(): void {
    this.account.bytes -= this.types?.byteLength ?? 0;
    this.length = 0;
    this.type = NO_TYPE;
    this.types = undefined;
    this.dictionary = undefined;
  }

  /** Adds value `index` of another column. */
  appendFrom(other: Column, index: number): void {
    const type = other.typeAt(index);
    if (type !== this.type) this.admit(type);
    if (other.width === BYTES) {
      this.append(type, other.arenaView, other.startAt(index), other.endAt(index));
    } else if (this.width === other.width) {
      this.appendWords(type, other.words, index * other.width);
    } else if (other.width === 1) {
      SINGLE_WORD.setInt32(0, other.words[index]!, true);
      this.append(type, SINGLE_WORD, 0, sizeOfType(type));
    } else {
      const start = index * other.width * 4;
      this.append(type, other.wordView, start, start + sizeOfType(type));
    }
  }

  /** Adds the values `[from, end)` of another column. */
  appendRange(other: Column, from: number, end: number): void {
    const count = end - from;
    if (count === 0) return;
    const { type, width } = other;
    if (this.type === NO_TYPE && type !== MIXED) this.admit(type);
    if (this.type !== type || this.types !== undefined || other.types !== undefined) {
      for (let index = from; index < end; index++) this.appendFrom(other, index);
      return;
    }
    const start = this.length;
    if (width === 1) this.setWordBytes(other.words.BYTES_PER_ELEMENT, start === 0);
    if (start + count > this.capacity) this.grow(start + count);
    this.length = start + count;
    if (width === BYTES && other.dictionary !== undefined) {
      return this.copyPlaces(other, other.dictionary.places, from, end, start);
    }
    if (width === BYTES) return this.copyByteRange(other, from, end, start);
    this.words.set(other.words.subarray(from * width, end * width), start * width);
  }

  /** Makes room for a value that does not fit, and puts it where it belongs. */
  private widen(value: number, index: number): void {
    this.setWordBytes(bytesFor(value, value), false);
    this.words[index] = value;
  }

  /** Makes its words as wide as that, if they are narrower; a column without values may be made narrower, too. */
  private setWordBytes(bytesEach: number, isEmpty: boolean): void {
    const { words, capacity } = this;
    const before = words.BYTES_PER_ELEMENT;
    if (bytesEach === before || (bytesEach < before && !isEmpty)) return;
    this.words = isEmpty ? zeroWords(capacity, bytesEach) : grownWords(words, capacity, bytesEach);
    this.account.bytes += this.words.byteLength - words.byteLength;
  }

  private copyByteRange(other: Column, from: number, end: number, start: number): void {
    const first = other.startAt(from);
    const at = this.startAt(start);
    const next = at + other.ends[end - 1]! - first;
    if (next > this.arena.length) this.growArena(next);
    this.arena.set(other.arena.subarray(first, other.ends[end - 1]!), at);
    for (let i = from; i < end; i++) this.ends[start + i - from] = other.ends[i]! - first + at;
  }

  private copyPlaces(other: Column, places: Uint16Array, from: number, end: number, start: number): void {
    const { ends } = this;
    let next = this.startAt(start);
    for (let i = from; i < end; i++) ends[start + i - from] = next += other.endAt(i) - other.startAt(i);
    if (next > this.arena.length) this.growArena(next);
    const { arena, ends: otherEnds } = other;
    const target = this.arena;
    for (let i = from, at = this.startAt(start); i < end; i++) {
      const place = places[i]!;
      const last = otherEnds[place]!;
      for (let k = place === 0 ? 0 : otherEnds[place - 1]!; k < last; k++) target[at++] = arena[k]!;
    }
  }

  private appendWords(type: number, source: Words, from: number): void {
    const index = this.length++;
    if (index === this.capacity) this.grow();
    if (this.types !== undefined) this.types[index] = type;
    const { words, width } = this;
    for (let i = 0, at = index * width; i < width; i++) words[at + i] = source[from + i]!;
    if (width === 1 && words[index] !== source[from]) this.widen(source[from]!, index);
  }

  private appendBytes(index: number, source: DataView, start: number, end: number): void {
    const at = this.startAt(index);
    const next = at + end - start;
    if (next > this.arena.length) this.growArena(next);
    copyBytes(source, start, end, this.arena, at);
    this.ends[index] = next;
  }

  private get arenaView(): DataView {
    return this.arenaViewCache = viewOf(this.arena, this.arenaViewCache);
  }

  private get wordView(): DataView {
    return this.wordViewCache = viewOf(this.words, this.wordViewCache);
  }

  /** Makes the layout one that can hold a value of `type` beside those that are here. */
  private admit(type: number): void {
    if (this.type === MIXED) {
      const width = widthTogether(this.width, wordsOfType(type));
      if (width !== this.width) this.changeWidth(width);
      return;
    }
    if (this.type === NO_TYPE) {
      this.type = type;
      this.changeWidth(wordsOfType(type));
      return;
    }
    const before = this.type;
    this.types = new Uint8Array(this.capacity).fill(before, 0, this.length);
    this.account.bytes += this.types.byteLength;
    this.type = MIXED;
    this.changeWidth(widthTogether(this.width, wordsOfType(type)));
  }

  private changeWidth(width: number): void {
    if (width === this.width) return;
    this.words = this.wideWords;
    const old = { width: this.width, words: this.words, view: this.wordView };
    assert(old.width !== BYTES || this.length === 0, "a column of bytes holds every type");
    this.account.bytes -= this.memoryBytes;
    this.width = width;
    this.words = width === BYTES ? NO_WORDS : new Int32Array(width * this.capacity);
    this.ends = width === BYTES ? new Int32Array(this.capacity) : NO_WORDS;
    this.account.bytes += this.memoryBytes;
    const start = Math.max(0, old.width) * 4;
    for (let i = 0; i < this.length; i++) {
      if (width === BYTES) {
        this.appendBytes(i, old.view, i * start, i * start + sizeOfType(this.typeAt(i)));
      } else {
        for (let k = 0; k < old.width; k++) this.words[i * width + k] = old.words[i * old.width + k]!;
      }
    }
  }

  private grow(atLeast = INITIAL_VALUES): void {
    assert(this.dictionary === undefined, "a column with a dictionary does not grow");
    this.account.bytes -= this.memoryBytes;
    this.capacity = Math.max(atLeast, this.capacity * 2);
    if (this.width === BYTES) this.ends = grownInt32(this.ends, this.capacity);
    else this.words = grownWords(this.words, this.capacity * this.width);
    if (this.types !== undefined) {
      const types = new Uint8Array(this.capacity);
      types.set(this.types);
      this.types = types;
    }
    this.account.bytes += this.memoryBytes;
  }

  private growArena(atLeast: number): void {
    const arena = new Uint8Array(Math.max(INITIAL_ARENA_BYTES, this.arena.length * 2, atLeast));
    arena.set(this.arena);
    this.account.bytes += arena.length - this.arena.length;
    this.arena = arena;
  }
}

const SINGLE_WORD = new DataView(new ArrayBuffer(4));

/** Puts the values of one type to the places of that type among values of `width` words, which are zero. */
function spreadWords(
  { type, width: own, wideWords }: Column,
  types: Uint8Array,
  words: Int32Array,
  width: number,
): void {
  for (let i = 0, from = 0; i < types.length; i++) {
    if (types[i] !== type) continue;
    for (let k = 0; k < own; k++) words[i * width + k] = wideWords[from++]!;
  }
}

/** The width of a column that holds values of both widths. */
function widthTogether(a: number, b: number): number {
  if (a === b || b === 0) return a;
  if (a === 0) return b;
  return a === BYTES || b === BYTES || a > 2 || b > 2 ? BYTES : Math.max(a, b);
}

/** The word at `at`; a value that ends within it is a single byte (a boolean) or nothing. */
function word(source: DataView, at: number, end: number): number {
  if (end - at >= 4) return source.getInt32(at, true);
  return end > at ? source.getUint8(at) : 0;
}

/** Below this length a loop beats the call of `set` on a new view. */
const SHORT_BYTES = 32;

/** Copies the bytes `[start, end)` of `source` to `target` from `at` on. */
export function copyBytes(
  source: DataView,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): void {
  if (end - start > SHORT_BYTES) {
    target.set(new Uint8Array(source.buffer, source.byteOffset + start, end - start), at);
  } else {
    for (let from = start; from < end; from++) target[at++] = source.getUint8(from);
  }
}

/** A view of the same bytes: the one from last time, if it still is one. */
export function viewOf(bytes: ArrayBufferView, last?: DataView): DataView {
  const { buffer, byteOffset, byteLength } = bytes;
  const same = last !== undefined && last.buffer === buffer && last.byteOffset === byteOffset &&
    last.byteLength === byteLength;
  return same ? last : new DataView(buffer, byteOffset, byteLength);
}
