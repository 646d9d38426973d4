/**
 * A set of series: few as a list of their numbers, more as one byte a series. Few of a million cost what few of a hundred
 * do.
 */
import { NO_BYTES } from "../../column/mod.ts";
import { firstAtLeast } from "./ascending.ts";

/** More are not listed. */
const MAX_LISTED = 64;
const BYTES_PER_DOUBLE = 8;

export class SeriesSet {
  /** Ascending; undefined where there are too many. */
  private listed: number[] | undefined = [];
  /** 1 for those in the set, 0 for others; only where they are not listed. */
  private marks = NO_BYTES;

  /** An empty set. @param limit series from this number on are never in it */
  constructor(readonly limit: number) {}

  static all(limit: number): SeriesSet {
    const set = new SeriesSet(limit);
    set.addFrom(0);
    return set;
  }

  static of(series: Iterable<number>, limit: number): SeriesSet {
    const set = new SeriesSet(limit);
    for (const number of series) set.add(number);
    return set;
  }

  get isEmpty(): boolean {
    return this.next(0) === Infinity;
  }

  has(series: number): boolean {
    const { listed } = this;
    return listed === undefined ? this.marks[series] === 1 : listed[firstAtLeast(listed, series)] === series;
  }

  /** The first one from a number on; `Infinity` when there is none. */
  next(from: number): number {
    const { listed } = this;
    if (listed !== undefined) return listed[firstAtLeast(listed, from)] ?? Infinity;
    const next = nextMarked(this.marks, from);
    return next < this.limit ? next : Infinity;
  }

  /** Whether there are so many: where there are fewer, that is known without a look at each. */
  hasAtLeast(count: number): boolean {
    const { listed } = this;
    if (listed !== undefined) return listed.length >= count;
    let found = 0;
    for (let series = this.next(0); series < Infinity && found < count; series = this.next(series + 1)) {
      found++;
    }
    return found >= count;
  }

  add(series: number): void {
    if (series >= this.limit) return;
    const { listed } = this;
    if (listed === undefined) {
      this.marks[series] = 1;
      return;
    }
    const place = firstAtLeast(listed, series);
    if (listed[place] === series) return;
    if (listed.length === MAX_LISTED) this.marked()[series] = 1;
    else if (place === listed.length) listed.push(series);
    else listed.splice(place, 0, series);
  }

  /** Adds all from a number on. */
  addFrom(series: number): void {
    if (this.limit - series > MAX_LISTED) this.marked().fill(1, series);
    else for (let number = series; number < this.limit; number++) this.add(number);
  }

  delete(series: number): void {
    const { listed } = this;
    if (listed === undefined) {
      this.marks[series] = 0;
      return;
    }
    const place = firstAtLeast(listed, series);
    if (listed[place] === series) listed.splice(place, 1);
  }

  /** Keeps those that are in another set, too. */
  intersect(other: SeriesSet): void {
    const { listed, marks } = this;
    if (listed !== undefined) this.listed = listed.filter((series) => other.has(series));
    else if (other.listed !== undefined) this.list(other.listed.filter((series) => this.has(series)));
    else for (let i = 0; i < marks.length; i++) marks[i]! &= other.marks[i]!;
  }

  /** Adds those of another set with the same limit. */
  unite(other: SeriesSet): void {
    if (other.listed !== undefined) { for (const series of other.listed) this.add(series); }
    else {
      const marks = this.marked();
      for (let i = 0; i < marks.length; i++) marks[i]! |= other.marks[i]!;
    }
  }

  private list(series: number[]): void {
    this.listed = series;
    this.marks = NO_BYTES;
  }

  /** The marks; from now on the set is in these. */
  private marked(): Uint8Array {
    const { listed } = this;
    if (listed !== undefined) {
      this.marks = new Uint8Array(this.limit);
      for (const series of listed) this.marks[series] = 1;
      this.listed = undefined;
    }
    return this.marks;
  }
}

/** The first place from one on that is marked; the length when there is none. */
function nextMarked(marks: Uint8Array, from: number): number {
  if (marks[from] === 1) return from;
  const { length, buffer, byteOffset } = marks;
  let at = from;
  while (at < length && (byteOffset + at) % BYTES_PER_DOUBLE !== 0) {
    if (marks[at] === 1) return at;
    at++;
  }
  if (at >= length) return length;
  // Far ones are found eight bytes at a time.
  const eights = new Float64Array(buffer, byteOffset + at, Math.floor((length - at) / BYTES_PER_DOUBLE));
  let zeros = 0;
  while (zeros < eights.length && eights[zeros] === 0) zeros++;
  at += zeros * BYTES_PER_DOUBLE;
  while (at < length && marks[at] !== 1) at++;
  return at;
}
