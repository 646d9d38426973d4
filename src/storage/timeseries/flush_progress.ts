/** How far a flush is: writers keep step with it, so that memory stays bounded and nobody waits for all of it. */
import { PAGE_ROWS } from "../../base/mod.ts";
import type { FrozenRows } from "./segment_writer.ts";

/** What new rows may take before anything is written, as a share: a flush has to come up to speed first. */
const HEAD_START = 0.25;
/** Page columns that every memtable has: times, and whole rows. */
const OWN_COLUMNS = 2;

export class FlushProgress {
  private steps = 0;
  private expected = 1;
  private waiting: (() => void)[] = [];

  /** What new rows may take now, as a share of a full memtable. */
  get share(): number {
    return HEAD_START + (1 - HEAD_START) * Math.min(1, this.steps / this.expected);
  }

  /** A flush of these starts: about one step a page. */
  begin(memtables: ReadonlyMap<number, FrozenRows>): void {
    this.steps = 0;
    this.expected = 1;
    for (const { memtable } of memtables.values()) {
      const columns = memtable.dictionary.paths.length + OWN_COLUMNS;
      this.expected += Math.ceil(memtable.length / PAGE_ROWS) * columns;
    }
  }

  step(): void {
    this.steps++;
    this.wake();
  }

  /** Nobody waits any more. */
  end(): void {
    this.wake();
  }

  /** Resolves at the next step, or at the end. */
  next(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private wake(): void {
    const { waiting } = this;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }
}
