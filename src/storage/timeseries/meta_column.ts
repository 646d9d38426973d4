/**
 * The values at one path of all metas of a table, each different one once: who groups by them finds those of a series
 * without reading its meta.
 *
 *     series s       has value numbers[s]
 *     value n        values[n]
 *
 * It only grows: what a query has taken from it stays. Documents and arrays are not kept, and neither is a path where two
 * series have equal values that are not the same, as 1 and 1.0: there the metas have to be read.
 *
 * Texts are told apart by their bytes, and one is made of them when it is met first.
 */
import {
  BSONSymbol,
  BsonType,
  Document,
  identicalValues,
  isArray,
  keyOf,
  readValue,
  type Value,
  type ValueKey,
  valueSize,
} from "../../bson/mod.ts";
import { grownInt32 } from "../../column/mod.ts";
import { KeyTable } from "./key_table.ts";
import { MetaFinder, NO_VALUE } from "./meta_finder.ts";
import type { PathCache } from "./path_cache.ts";
import type { SeriesIndex } from "./series_index.ts";
import type { SeriesSet } from "./series_set.ts";

/** A path of metas; the twin of `MetaPath` in query/source.ts. */
export interface MetaPath {
  readonly name: string;
  readonly fields: readonly string[];
  readonly read: (meta: Value) => Value;
}

/** Metas that are read between two calls of `rest`. */
const STEPS_BETWEEN_RESTS = 256;
const INITIAL_SERIES = 64;
/** Where a smaller share of the series is asked for, their metas are read. */
const LEAST_SHARE = 1 / 4;
/** What a value takes with its rank, what a character of it does, and the key of one that is no text. */
const VALUE_BYTES = 56;
const CHARACTER_BYTES = 2;
const KEY_BYTES = 40;
/** What a decoder makes of bytes that are no UTF-8: texts with it may be equal with other bytes. */
const REPLACEMENT = "\ufffd";

export class MetaColumn {
  readonly values: Value[] = [];
  numbers: Int32Array = new Int32Array(INITIAL_SERIES);
  /** Of each value among all of them, once somebody has sorted them; with fewer values it is out of date. */
  ranks: Int32Array | undefined;
  /** Whether it says all that the metas do. */
  isWhole = true;
  /** Series with lower numbers are in here. */
  private covered = 0;
  /** Texts by their bytes, and the number of each as a value. */
  private texts = new KeyTable();
  private readonly ofTexts: number[] = [];
  private readonly byKey = new Map<ValueKey, number>();
  private characters = 0;

  /** Bytes that it holds, about. */
  get memoryBytes(): number {
    const { numbers, values, characters, texts, byKey } = this;
    return numbers.byteLength + values.length * VALUE_BYTES + characters * CHARACTER_BYTES +
      texts.memoryBytes +
      byKey.size * KEY_BYTES;
  }

  /** Whether all series below `count` are in here, or need not be. */
  covers(count: number): boolean {
    return !this.isWhole || this.covered >= count;
  }

  /**
   * Takes in the series below `count`; several callers at once do it together.
   *
   * @param rest awaited now and then, to let others run
   */
  async extend(index: SeriesIndex, path: MetaPath, count: number, rest: () => Promise<void>): Promise<void> {
    if (count > this.numbers.length) {
      this.numbers = grownInt32(this.numbers, Math.max(count, 2 * this.numbers.length));
    }
    const finder = new MetaFinder(index, path.fields);
    while (!this.covers(count)) {
      const series = this.covered++;
      if (finder.find(series)) this.addFound(series, index, finder);
      else this.add(series, path.read(index.metaOf(series)));
      if (series % STEPS_BETWEEN_RESTS === 0) await rest();
    }
  }

  private addFound(series: number, index: SeriesIndex, { type, start }: MetaFinder): void {
    if (type === NO_VALUE) return this.add(series, undefined);
    const { bytes } = index;
    if (type !== BsonType.String) return this.add(series, readValue(bytes, type, start));
    const { texts, ofTexts } = this;
    const end = start + valueSize(bytes, type, start);
    const text = texts.numberOf(type, index.bytesView, start, end);
    if (text === ofTexts.length) {
      const value = readValue(bytes, type, start) as string;
      if (value.includes(REPLACEMENT)) return this.giveUp();
      ofTexts.push(this.values.push(value) - 1);
      this.characters += value.length;
    }
    this.numbers[series] = ofTexts[text]!;
  }

  private add(series: number, value: Value): void {
    // A symbol may be equal to a text.
    if (value instanceof Document || isArray(value) || value instanceof BSONSymbol) return this.giveUp();
    const key = keyOf(value);
    const known = this.byKey.get(key);
    if (known === undefined) {
      this.byKey.set(key, this.values.length);
      this.numbers[series] = this.values.push(value) - 1;
    } else if (identicalValues(this.values[known], value)) {
      this.numbers[series] = known;
    } else {
      this.giveUp();
    }
  }

  /** Keeps nothing, for good. A query that has values in its hands goes on with them. */
  private giveUp(): void {
    this.isWhole = false;
    this.byKey.clear();
    this.texts = new KeyTable();
  }
}

/** Where metas are found, and what is kept of them. */
export interface MetaSource {
  readonly tableId: number;
  readonly index: SeriesIndex;
  readonly seriesCount: number;
  readonly metaColumns: PathCache<MetaColumn>;
}

/**
 * The columns at paths, each built when its path is asked for; undefined where metas are to be read.
 *
 * @param matched the series that are asked for; undefined for all
 * @param rest awaited now and then, to let others run
 */
export async function metaColumnsOf(
  { tableId, index, seriesCount, metaColumns }: MetaSource,
  paths: readonly MetaPath[],
  matched: SeriesSet | undefined,
  rest: () => Promise<void>,
): Promise<readonly MetaColumn[] | undefined> {
  if (paths.length === 0) return undefined;
  if (matched !== undefined && !matched.hasAtLeast(seriesCount * LEAST_SHARE)) return undefined;
  const columns: MetaColumn[] = [];
  for (const path of paths) {
    const column = metaColumns.get(tableId, path.name) ?? new MetaColumn();
    if (!column.covers(seriesCount)) {
      await column.extend(index, path, seriesCount, rest);
      metaColumns.set(tableId, path.name, column);
    }
    if (!column.isWhole) return undefined;
    columns.push(column);
  }
  return columns;
}
