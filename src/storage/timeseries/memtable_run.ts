/** Reads the rows of one series from a memtable in time order: its chain and its late rows, merged. */
import { Memtable, NO_ROW } from "./memtable.ts";
import type { RowMask } from "./row_mask.ts";
import type { Direction, Run, TimeRange } from "./run.ts";
import { NO_NODE } from "./skip_list.ts";

const SERIES_BETWEEN_PAUSES = 64;
const ALL_TIMES: TimeRange = { fromMs: -Infinity, toMs: Infinity };

/**
 * @param limit rows from this number on are not seen
 * @param removed rows that are gone
 * @returns undefined when the series has no rows in the range
 */
export function openMemtableRun(
  memtable: Memtable,
  series: number,
  range: TimeRange,
  direction: Direction,
  age: number,
  limit: number,
  removed?: RowMask,
): Run | undefined {
  const head = memtable.headOf(series);
  if (head === NO_ROW || head >= limit) return undefined;
  const run = new MemtableRun(memtable, series, range, direction, age, limit, removed);
  return run.advance() ? run : undefined;
}

/**
 * All rows of a frozen memtable by (series, time, arrival), without those that are gone.
 *
 * @param pace awaited now and then, to let others run
 */
export async function sortedRows(
  memtable: Memtable,
  removed: RowMask | undefined,
  pace: () => Promise<void>,
): Promise<Int32Array> {
  const rows = new Int32Array(memtable.length - (removed?.count ?? 0));
  const inChains = memtable.late.length === 0 && removed === undefined;
  let count = 0;
  for (let series = 0; series < memtable.seriesEnd; series++) {
    count = inChains
      ? memtable.putChain(series, rows, count)
      : putSeries(memtable, series, removed, rows, count);
    if (series % SERIES_BETWEEN_PAUSES === 0) await pace();
  }
  return rows;
}

/** Puts the rows of a series into `rows` from `at` on; returns where the next one goes. */
function putSeries(
  memtable: Memtable,
  series: number,
  removed: RowMask | undefined,
  rows: Int32Array,
  at: number,
): number {
  const run = openMemtableRun(memtable, series, ALL_TIMES, 1, 0, memtable.length, removed);
  if (run === undefined) return at;
  do rows[at++] = run.row; while (run.advance());
  return at;
}

class MemtableRun implements Run {
  row = NO_ROW;
  time = 0;
  readonly source: Memtable;
  /** The next row of the chain, or `NO_ROW`. */
  private chain: number;
  /** The next late row's node, or `NO_NODE`. */
  private node: number;

  constructor(
    private readonly memtable: Memtable,
    readonly series: number,
    private readonly range: TimeRange,
    private readonly direction: Direction,
    readonly age: number,
    private readonly limit: number,
    private readonly removed: RowMask | undefined,
  ) {
    this.source = memtable;
    this.chain = direction === 1 ? this.firstOfChain() : this.lastOfChain();
    const { late } = memtable;
    this.node = direction === 1
      ? this.visibleNode(late.seek(series, range.fromMs, 0))
      : this.visibleNode(late.before(late.seek(series, range.toMs, Number.MAX_SAFE_INTEGER)));
  }

  advance(): boolean {
    do if (!this.step()) return false; while (this.removed?.has(this.row) === true);
    return true;
  }

  private step(): boolean {
    const { late } = this.memtable;
    const takesLate = this.node !== NO_NODE && (this.chain === NO_ROW || this.isLateNext());
    if (takesLate) {
      this.row = late.ordinalOf(this.node);
      this.node = this.visibleNode(this.direction === 1 ? late.after(this.node) : this.nodeBefore(this.node));
    } else {
      if (this.chain === NO_ROW) return false;
      this.row = this.chain;
      const next = this.direction === 1
        ? this.memtable.rowAfter(this.chain)
        : this.memtable.rowBefore(this.chain);
      this.chain = this.inRange(next) ? next : NO_ROW;
    }
    this.time = this.memtable.timeOf(this.row);
    return true;
  }

  /** Whether the late row comes before the chain's in the direction of the run. */
  private isLateNext(): boolean {
    const { late } = this.memtable;
    const order = late.timeOf(this.node) - this.memtable.timeOf(this.chain) ||
      late.ordinalOf(this.node) - this.chain;
    return order * this.direction < 0;
  }

  /** The node, or the next one that was there when the run began; `NO_NODE` beyond series and range. */
  private visibleNode(node: number): number {
    const { late } = this.memtable;
    const { fromMs, toMs } = this.range;
    while (node !== NO_NODE) {
      if (late.seriesOf(node) !== this.series) return NO_NODE;
      const time = late.timeOf(node);
      if (time < fromMs || time > toMs) return NO_NODE;
      if (late.ordinalOf(node) < this.limit) return node;
      node = this.direction === 1 ? late.after(node) : this.nodeBefore(node);
    }
    return NO_NODE;
  }

  private nodeBefore(node: number): number {
    return this.memtable.late.before(node);
  }

  /** Chains are walked from the end: what is asked for is mostly late. */
  private lastOfChain(): number {
    let row = this.memtable.tailOf(this.series);
    while (row !== NO_ROW && (row >= this.limit || this.memtable.timeOf(row) > this.range.toMs)) {
      row = this.memtable.rowBefore(row);
    }
    return row !== NO_ROW && this.memtable.timeOf(row) >= this.range.fromMs ? row : NO_ROW;
  }

  private firstOfChain(): number {
    const head = this.memtable.headOf(this.series);
    if (this.memtable.timeOf(head) >= this.range.fromMs) return this.inRange(head) ? head : NO_ROW;
    let first = NO_ROW;
    let row = this.memtable.tailOf(this.series);
    while (row !== NO_ROW && this.memtable.timeOf(row) >= this.range.fromMs) {
      first = row;
      row = this.memtable.rowBefore(row);
    }
    return first !== NO_ROW && this.inRange(first) ? first : NO_ROW;
  }

  private inRange(row: number): boolean {
    if (row === NO_ROW || row >= this.limit) return false;
    const time = this.memtable.timeOf(row);
    return time >= this.range.fromMs && time <= this.range.toMs;
  }
}
