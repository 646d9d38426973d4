/** Judges series by the values at paths of their metas, each different value once. */
import type { Value } from "../../bson/mod.ts";
import { type MetaColumn, metaColumnsOf, type MetaPath, type MetaSource } from "./meta_column.ts";
import type { SeriesSet } from "./series_set.ts";

/** The twin of `SeriesTest` in query/source.ts. */
export interface SeriesTest {
  readonly path: MetaPath;
  readonly compile: () => (value: Value) => boolean;
}

/** Fewer series are judged by their metas. */
const LEAST_SERIES = 64;
const PASSES = 1;
const FAILS = 2;

/**
 * Whether a series passes all tests; undefined where that is better told by its meta, or cannot be told without.
 *
 * @param matched those that will be asked about
 * @param rest awaited now and then, to let others run
 */
export async function seriesJudge(
  source: MetaSource,
  tests: readonly SeriesTest[],
  matched: SeriesSet,
  rest: () => Promise<void>,
): Promise<((series: number) => boolean) | undefined> {
  if (source.seriesCount < LEAST_SERIES || hasNewPath(source, tests)) return undefined;
  const columns = await metaColumnsOf(source, tests.map(({ path }) => path), matched, rest);
  if (columns === undefined) return undefined;
  const verdicts = columns.map((column, i) => new Verdicts(column, tests[i]!.compile()));
  return (series) => verdicts.every((each) => each.passes(series));
}

/** To read all metas once may take less than to build columns of many different values, which pay when they are used again. */
function hasNewPath({ tableId, metaColumns }: MetaSource, tests: readonly SeriesTest[]): boolean {
  const isNew = ({ path: { name } }: SeriesTest) =>
    metaColumns.get(tableId, name) === undefined && metaColumns.isNew(tableId, name);
  return tests.map(isNew).includes(true);
}

class Verdicts {
  /** By number of the value; 0 for one that has not been tested. */
  private readonly known: Uint8Array;
  private readonly numbers: Int32Array;

  constructor(private readonly column: MetaColumn, private readonly test: (value: Value) => boolean) {
    this.known = new Uint8Array(column.values.length);
    this.numbers = column.numbers;
  }

  passes(series: number): boolean {
    const number = this.numbers[series]!;
    const verdict = this.known[number]! || (this.test(this.column.values[number]) ? PASSES : FAILS);
    this.known[number] = verdict;
    return verdict === PASSES;
  }
}
