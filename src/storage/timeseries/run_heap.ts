/**
 * Merges runs: a binary heap whose top is the run with the next row.
 *
 * Rows come in order of (time, series, age), or exactly backwards.
 */
import type { Direction, Run } from "./run.ts";

export class RunHeap {
  private readonly runs: Run[] = [];

  constructor(private readonly direction: Direction) {}

  get size(): number {
    return this.runs.length;
  }

  /** The run with the next row, or undefined. */
  top(): Run | undefined {
    return this.runs[0];
  }

  push(run: Run): void {
    const { runs } = this;
    let at = runs.push(run) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.isBefore(run, runs[parent]!)) break;
      runs[at] = runs[parent]!;
      at = parent;
    }
    runs[at] = run;
  }

  /** Takes the top run to its next row; it leaves when it has none. */
  advanceTop(): void {
    const { runs } = this;
    const top = runs[0]!;
    if (top.advance()) return this.sink(top);
    const last = runs.pop()!;
    if (runs.length > 0) this.sink(last);
  }

  /** Puts a run in the place of the top one, then where it belongs. */
  private sink(run: Run): void {
    const { runs } = this;
    const { length } = runs;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= length) break;
      if (child + 1 < length && this.isBefore(runs[child + 1]!, runs[child]!)) child++;
      if (!this.isBefore(runs[child]!, run)) break;
      runs[at] = runs[child]!;
      at = child;
    }
    runs[at] = run;
  }

  private isBefore(a: Run, b: Run): boolean {
    const order = a.time - b.time || a.series - b.series || a.age - b.age;
    return order * this.direction < 0;
  }
}
