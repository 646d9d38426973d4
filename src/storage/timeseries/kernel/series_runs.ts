/**
 * The rows of one series in slices, in the order of the row executor: by time, those of one time in order of arrival.
 *
 * A run is what one row group or memtable has of the series, sorted by time. Runs that do not overlap are walked one after
 * the other, page by page. Those that do are merged: of the run with the earliest row all rows are taken that come before
 * the next one's first.
 */
import type { SliceSource } from "./slice_source.ts";

/** A run and how far it has been read. */
export interface SliceRun {
  /** Of two runs with rows of one time, those of the lower age came earlier. */
  readonly age: number;
  /** No row is before or after. */
  readonly firstTime: number;
  readonly lastTime: number;
  /** Whether no rows are left. */
  readonly isDone: boolean;
  /** What of it comes next: the rest of a page, or of a memtable. */
  current(): Slice;
  /** Goes on behind `count` rows of the current slice. */
  skip(count: number): void;
}

/** Rows `[from, to)` of a source, or those that `rows[from, to)` name; at least one. */
export interface Slice {
  readonly source: SliceSource;
  readonly rows: Int32Array | undefined;
  readonly from: number;
  readonly to: number;
}

/** Walks through the runs of one series after another. */
export class SeriesRuns {
  /** The run of a series that has but one, as most have. */
  private only: SliceRun | undefined;
  /** The runs of another series, the first one last. */
  private runs: SliceRun[] = [];
  private isDisjoint = true;

  /** The runs of the next series. */
  enter(runs: readonly SliceRun[]): void {
    this.only = runs.length === 1 ? runs[0] : undefined;
    this.runs.length = 0;
    if (runs.length < 2) return;
    this.runs = runs.toSorted((a, b) =>
      a.firstTime - b.firstTime || a.lastTime - b.lastTime || a.age - b.age
    );
    this.isDisjoint = this.runs.every((run, i) => i === 0 || isBefore(this.runs[i - 1]!, run));
    this.runs.reverse();
  }

  /** The next rows; undefined at the end. */
  next(): Slice | undefined {
    if (this.only !== undefined) return this.only.isDone ? undefined : takeCurrent(this.only);
    const { runs } = this;
    while (runs.length > 0 && runs[runs.length - 1]!.isDone) runs.pop();
    const last = runs[runs.length - 1];
    if (last === undefined) return undefined;
    return !this.isDisjoint && runs.length > 1 ? this.merged() : takeCurrent(last);
  }

  private merged(): Slice {
    const { runs } = this;
    let best = runs[0]!;
    let bestTime = Infinity;
    let second: SliceRun | undefined;
    let secondTime = Infinity;
    for (let i = runs.length - 1; i >= 0; i--) {
      const run = runs[i]!;
      if (run.isDone) {
        runs.splice(i, 1);
        continue;
      }
      const time = nextTime(run);
      if (time < bestTime || (time === bestTime && run.age < best.age)) {
        if (bestTime !== Infinity) {
          second = best;
          secondTime = bestTime;
        }
        best = run;
        bestTime = time;
      } else if (second === undefined || time < secondTime || (time === secondTime && run.age < second.age)) {
        second = run;
        secondTime = time;
      }
    }
    const slice = best.current();
    const limit = second === undefined || best.age < second.age ? secondTime : justBelow(secondTime);
    const to = second === undefined ? slice.to : firstAfter(slice, limit);
    best.skip(to - slice.from);
    return { ...slice, to };
  }
}

function takeCurrent(run: SliceRun): Slice {
  const slice = run.current();
  run.skip(slice.to - slice.from);
  return slice;
}

function isBefore(a: SliceRun, b: SliceRun): boolean {
  return a.lastTime < b.firstTime || (a.lastTime === b.firstTime && a.age < b.age);
}

function nextTime(run: SliceRun): number {
  const { source, rows, from } = run.current();
  return source.times[rows === undefined ? from : rows[from]!]!;
}

/** Times are whole milliseconds. */
function justBelow(ms: number): number {
  return ms - 1;
}

/** The first place in a slice whose time is above `ms`. */
function firstAfter({ source, rows, from, to }: Slice, ms: number): number {
  return endOfTimes(source.times, rows, from, to, ms + 1);
}

/**
 * The first place of `[from, to)` whose time is at least `endMs`, or `to`: by steps that double, then halves, since it
 * is mostly near.
 */
export function endOfTimes(
  times: Float64Array,
  rows: Int32Array | undefined,
  from: number,
  to: number,
  endMs: number,
): number {
  let low = from;
  let step = 4;
  while (low + step < to && timeAt(times, rows, low + step) < endMs) {
    low += step;
    step *= 2;
  }
  let high = Math.min(to, low + step);
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timeAt(times, rows, middle) < endMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function timeAt(times: Float64Array, rows: Int32Array | undefined, place: number): number {
  return times[rows === undefined ? place : rows[place]!]!;
}
