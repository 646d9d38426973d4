/**
 * An inverted index on one path of a table's metas: for each key there, the series that have it.
 *
 *     key k     a number of `keys`; its posting list is lists[ends[k − 1], ends[k])
 *
 * It covers the series that were there when it was built; what came later is for its reader to judge, until so much has
 * come that it is built anew.
 */
import { ByteWriter, grownInt32, viewOf } from "../../column/mod.ts";
import { KeyTable } from "./key_table.ts";
import { MetaKeys, type SeriesPath } from "./meta_keys.ts";
import { addPostings, writePostings } from "./posting_list.ts";
import type { SeriesIndex } from "./series_index.ts";
import type { SeriesSet } from "./series_set.ts";

/** Steps of work between two calls of `rest`. */
const STEPS_BETWEEN_RESTS = 256;
const INITIAL_PAIRS = 1024;

export class PathPostings {
  private constructor(
    /** Series with lower numbers are in here. */
    readonly covered: number,
    private readonly keys: KeyTable,
    private readonly ends: Int32Array,
    private readonly lists: Uint8Array,
  ) {}

  /**
   * Looks at all metas once.
   *
   * @param rest awaited now and then, to let others run
   */
  static async build(
    index: SeriesIndex,
    path: SeriesPath,
    seriesCount: number,
    rest: () => Promise<void>,
  ): Promise<PathPostings> {
    const pairs = new Pairs();
    const keys = new MetaKeys(index, path);
    const add = (view: DataView, length: number) => pairs.add(view, length);
    for (let series = 0; series < seriesCount; series++) {
      pairs.enter(series);
      keys.visit(series, add);
      if (series % STEPS_BETWEEN_RESTS === 0) await rest();
    }
    const { series, ends: pairEnds } = pairs.byKey();
    const out = new ByteWriter(pairs.length * 2);
    const ends = new Int32Array(pairEnds.length);
    for (let key = 0; key < ends.length; key++) {
      writePostings(series, key === 0 ? 0 : pairEnds[key - 1]!, pairEnds[key]!, out);
      ends[key] = out.length;
      if (key % STEPS_BETWEEN_RESTS === 0) await rest();
    }
    return new PathPostings(seriesCount, pairs.keys, ends, out.written().slice());
  }

  /** Bytes that it holds. */
  get memoryBytes(): number {
    return this.keys.memoryBytes + this.ends.byteLength + this.lists.length;
  }

  /** Adds the series that have a key to a set. */
  addKey(key: Uint8Array, series: SeriesSet): void {
    const number = this.keys.find(0, viewOf(key), 0, key.length);
    if (number >= 0) this.add(number, series);
  }

  /** As `addKey`, for all keys that are not below `from`, and below `to`. */
  async addRange(
    from: Uint8Array,
    to: Uint8Array,
    series: SeriesSet,
    rest: () => Promise<void>,
  ): Promise<void> {
    for (let key = 0; key < this.keys.size; key++) {
      if (this.keys.compareTo(key, from) >= 0 && this.keys.compareTo(key, to) < 0) this.add(key, series);
      if (key % STEPS_BETWEEN_RESTS === 0) await rest();
    }
  }

  private add(key: number, series: SeriesSet): void {
    addPostings(this.lists, key === 0 ? 0 : this.ends[key - 1]!, this.ends[key]!, series);
  }
}

/** Which key which series has, gathered series by series. */
class Pairs {
  length = 0;
  readonly keys = new KeyTable();
  private keyOf: Int32Array = new Int32Array(INITIAL_PAIRS);
  private seriesOf: Int32Array = new Int32Array(INITIAL_PAIRS);
  /** How many series each key has, and the last of them. */
  private counts: Int32Array = new Int32Array(INITIAL_PAIRS);
  private lasts: Int32Array = new Int32Array(INITIAL_PAIRS);
  private series = 0;

  /** The keys of this series follow. @param series above that of the call before */
  enter(series: number): void {
    this.series = series;
  }

  /** The key is in the first bytes of `view`. */
  add(view: DataView, length: number): void {
    const { series } = this;
    const key = this.keys.numberOf(0, view, 0, length);
    if (key === this.counts.length) {
      this.counts = grownInt32(this.counts, key * 2);
      this.lasts = grownInt32(this.lasts, key * 2);
    }
    if (this.counts[key]! > 0 && this.lasts[key] === series) return;
    const at = this.length++;
    if (at === this.keyOf.length) {
      this.keyOf = grownInt32(this.keyOf, at * 2);
      this.seriesOf = grownInt32(this.seriesOf, at * 2);
    }
    this.keyOf[at] = key;
    this.seriesOf[at] = series;
    this.counts[key]!++;
    this.lasts[key] = series;
  }

  /** All series, key by key, and where those of each key end: a counting sort, so those of one key stay in order. */
  byKey(): { readonly series: Int32Array; readonly ends: Int32Array } {
    const places = new Int32Array(this.keys.size);
    for (let key = 1; key < places.length; key++) places[key] = places[key - 1]! + this.counts[key - 1]!;
    const series = new Int32Array(this.length);
    for (let i = 0; i < this.length; i++) series[places[this.keyOf[i]!]!++] = this.seriesOf[i]!;
    return { series, ends: places };
  }
}
