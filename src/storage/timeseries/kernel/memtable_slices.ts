/** What memtables have of a series, as runs of slices. */
import { PAGE_ROWS } from "../../../base/mod.ts";
import { openMemtableRun } from "../memtable_run.ts";
import type { Direction, Run, TimeRange } from "../run.ts";
import type { MemtableRows, TableSnapshot } from "../table_snapshot.ts";
import type { Slice, SliceRun } from "./series_runs.ts";
import type { RunSource } from "./slice_runs.ts";
import { MemtableSource } from "./slice_source.ts";

/** The rows of a memtable that were there when the query began. */
export class MemtableRunSource implements RunSource {
  readonly firstSeries = 0;
  readonly lastSeries: number;
  readonly minTime: number;
  readonly maxTime: number;
  readonly isPrefetched = true;
  readonly isToBePrefetched = false;
  private opened: MemtableSource | undefined;
  private rows = new Int32Array(64);

  constructor(
    private readonly snapshot: TableSnapshot,
    private readonly held: MemtableRows,
    private readonly range: TimeRange,
    private readonly asked: readonly (readonly string[])[],
    readonly age: number,
  ) {
    const { memtable } = held;
    this.lastSeries = Math.min(snapshot.seriesCount, memtable.seriesEnd) - 1;
    this.minTime = memtable.minTime;
    this.maxTime = memtable.maxTime;
  }

  run(series: number): SliceRun | undefined {
    const run = this.open(series, 1);
    if (run === undefined) return undefined;
    let count = 0;
    do {
      if (count === this.rows.length) {
        const longer = new Int32Array(count * 2);
        longer.set(this.rows);
        this.rows = longer;
      }
      this.rows[count++] = run.row;
    } while (run.advance());
    return new MemtableSliceRun(this.source, this.rows, count, this.age);
  }

  runOfMany(): undefined {
    return undefined;
  }

  begin(): void {}

  mayBeAnswered(): boolean {
    return false;
  }

  prefetch(): Promise<void> {
    return Promise.resolve();
  }

  learn(): void {}

  end(series: number, direction: Direction): SliceRun | undefined {
    const run = this.open(series, direction);
    if (run === undefined) return undefined;
    const { time } = run;
    const rows: number[] = [];
    do rows.push(run.row); while (run.advance() && run.time === time);
    if (direction === -1) rows.reverse();
    return new MemtableSliceRun(this.source, Int32Array.from(rows), rows.length, this.age);
  }

  get hasShortSeries(): boolean {
    return false;
  }

  private get source(): MemtableSource {
    const { held: { memtable, limit }, snapshot } = this;
    return this.opened ??= new MemtableSource(memtable, limit, this.asked, snapshot.names.time.text);
  }

  private open(series: number, direction: Direction): Run | undefined {
    const { memtable, limit, removed } = this.held;
    return openMemtableRun(memtable, series, this.range, direction, this.age, limit, removed);
  }
}

class MemtableSliceRun implements SliceRun {
  readonly firstTime: number;
  readonly lastTime: number;
  private at = 0;

  constructor(
    private readonly source: MemtableSource,
    private readonly rows: Int32Array,
    private readonly count: number,
    readonly age: number,
  ) {
    this.firstTime = source.times[rows[0]!]!;
    this.lastTime = source.times[rows[count - 1]!]!;
  }

  get isDone(): boolean {
    return this.at === this.count;
  }

  current(): Slice {
    const to = Math.min(this.count, this.at + PAGE_ROWS);
    return { source: this.source, rows: this.rows, from: this.at, to };
  }

  skip(count: number): void {
    this.at += count;
  }
}
