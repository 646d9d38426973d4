/** Classes of series by the values that storage knows of their metas, one column for each part of the key. */
import { compareValues, type Value } from "../../bson/mod.ts";
import { sortInTurns } from "../sort_in_turns.ts";
import type { MetaColumn } from "../source.ts";

/** A column is sorted whole where it has not more than so many values for each class. */
const MAX_SORTED_SHARE = 4;

/** Ranks from 0 on, and how many there are. */
export interface Ranks {
  readonly ranks: Int32Array;
  readonly count: number;
}

export class SeriesColumns {
  /** Of each class its first series. */
  private readonly firsts: number[] = [];
  /** Of a single column, by number of the value: the class + 1, or 0. */
  private readonly ofValues: Int32Array;
  /** Of several, by what their numbers make together. */
  private readonly ofTuples = new Map<string, number>();

  /** As `ofValues`, of null and of no value, where these are one. */
  private ofNull = 0;

  /** @param nullIsMissing whether series without a value are in the class of those with null */
  constructor(private readonly columns: readonly MetaColumn[], private readonly nullIsMissing: boolean) {
    const [column] = columns;
    this.ofValues = new Int32Array(columns.length === 1 ? column!.values.length : 0);
  }

  /** The class of a series; one that is new is the next. */
  classOf(series: number): number {
    const { columns, firsts, ofValues, ofTuples } = this;
    if (columns.length === 1) {
      const { numbers, values } = columns[0]!;
      const value = numbers[series]!;
      if (this.nullIsMissing && (values[value] ?? null) === null) {
        return (this.ofNull ||= firsts.push(series)) - 1;
      }
      return (ofValues[value] ||= firsts.push(series)) - 1;
    }
    const tuple = columns.map(({ numbers }) => numbers[series]).join();
    const known = ofTuples.get(tuple);
    if (known !== undefined) return known;
    ofTuples.set(tuple, firsts.length);
    return firsts.push(series) - 1;
  }

  valuesOf(series: number): Value[] {
    return this.columns.map(({ numbers, values }) => values[numbers[series]!]);
  }

  /** The ranks of classes by the values of a column; undefined where few of those are asked for. */
  async ranksOf(place: number, pause: () => Promise<void>): Promise<Ranks | undefined> {
    const { firsts } = this;
    const column = this.columns[place]!;
    const { values, numbers } = column;
    const count = values.length;
    if (count > firsts.length * MAX_SORTED_SHARE) return undefined;
    let known = column.ranks;
    if (known === undefined || known.length < count) {
      const all = Array.from({ length: count }, (_, value) => value);
      known = column.ranks = (await ranksOfNumbers(all, (value) => values[value], count, pause)).ranks;
    }
    const ranks = new Int32Array(firsts.length);
    for (let i = 0; i < ranks.length; i++) ranks[i] = known[numbers[firsts[i]!]!]!;
    return { ranks, count: known.length };
  }
}

/** The rank of each of some numbers, all below `end`, by their values: equal ones have the same. */
export async function ranksOfNumbers(
  numbers: number[],
  valueOf: (number: number) => Value,
  end: number,
  pause: () => Promise<void>,
): Promise<Ranks> {
  const ranks = new Int32Array(end);
  const compare = (a: number, b: number) => compareValues(valueOf(a) ?? null, valueOf(b) ?? null);
  const sorted = await sortInTurns(numbers, compare, pause);
  let count = 0;
  sorted.forEach((number, i) => {
    if (i > 0 && compare(sorted[i - 1]!, number) !== 0) count++;
    ranks[number] = count;
  });
  return { ranks, count: count + 1 };
}
