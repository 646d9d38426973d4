/**
 * Which group the rows of a series and a span of time are in. Spans are numbered as they are met, so that series after series
 * mostly walks from one to the next number.
 *
 *     span n                 [starts[n], ends[n]), its class classes[n], or NOT_THERE until a row is in it
 *     series and span class  group in groups; of span class 0 firstGroups[c], or NOT_THERE
 */
import type { Value } from "../../../bson/mod.ts";
import { grownDoubles, grownInt32s, newDoubles, newInt32s } from "../../../column/mod.ts";
import type { GroupKeys } from "./fragment.ts";
import { NOT_THERE, PairTable } from "./pair_table.ts";

const INITIAL_SPANS = 64;
const INITIAL_CLASSES = 16;

export class GroupTable {
  private starts = newDoubles(INITIAL_SPANS);
  private ends = newDoubles(INITIAL_SPANS);
  private classes: Int32Array = newInt32s(INITIAL_SPANS).fill(NOT_THERE);
  /** The spans by their starts; undefined for as long as these ascend. */
  private numbers: Map<number, number> | undefined;
  private spans = 0;
  private current = 0;
  /** Of span class 0, by class: where time does not part rows, that is all. */
  private firstGroups: Int32Array = newInt32s(INITIAL_CLASSES).fill(NOT_THERE);
  private readonly groups = new PairTable();
  private seriesClass = 0;
  private meta: Value = undefined;

  constructor(private readonly keys: GroupKeys) {}

  /** Rows of this series follow. */
  enter(series: number, meta: Value): void {
    this.meta = meta;
    this.seriesClass = this.keys.classOf(meta, series);
    const classes = this.firstGroups.length;
    if (this.seriesClass >= classes) {
      this.firstGroups = grownInt32s(this.firstGroups, 2 * classes).fill(NOT_THERE, classes);
    }
  }

  /** Moves to the span of a time. @returns where it ends */
  moveTo(ms: number): number {
    const { current } = this;
    if (!this.holds(current, ms)) {
      this.current = this.holds(current + 1, ms) ? current + 1 : this.holds(0, ms) ? 0 : this.find(ms);
    }
    return this.ends[this.current]!;
  }

  /** Of times in any order, the first place of `[from, to)` whose time is not in the span that was moved to; `to` for none. */
  endInSpan(times: Float64Array, rows: Int32Array | undefined, from: number, to: number): number {
    const start = this.starts[this.current]!;
    const end = this.ends[this.current]!;
    let at = from;
    while (at < to) {
      const ms = times[rows === undefined ? at : rows[at]!]!;
      if (ms < start || ms >= end) break;
      at++;
    }
    return at;
  }

  /** The group of the rows that were entered and moved to; `ms` is a time in their span. */
  group(ms: number): number {
    const { current, seriesClass } = this;
    let spanClass = this.classes[current]!;
    if (spanClass === NOT_THERE) spanClass = this.classes[current] = this.keys.spanClassOf(current, ms);
    const known = spanClass === 0 ? this.firstGroups[seriesClass]! : this.groups.get(seriesClass, spanClass);
    if (known !== NOT_THERE) return known;
    const group = this.keys.groupOf(seriesClass, current, this.meta, ms);
    if (spanClass === 0) this.firstGroups[seriesClass] = group;
    else this.groups.add(seriesClass, spanClass, group);
    return group;
  }

  private holds(span: number, ms: number): boolean {
    return span < this.spans && ms >= this.starts[span]! && ms < this.ends[span]!;
  }

  private find(ms: number): number {
    const { fromMs, endMs } = this.keys.spanOf(ms);
    const isLast = this.spans === 0 || fromMs > this.starts[this.spans - 1]!;
    const known = isLast && this.numbers === undefined ? undefined : this.spansByStart().get(fromMs);
    if (known !== undefined && this.ends[known] === endMs) return known;
    const span = this.spans++;
    if (span === this.starts.length) this.growSpans();
    this.starts[span] = fromMs;
    this.ends[span] = endMs;
    this.numbers?.set(fromMs, span);
    return span;
  }

  private spansByStart(): Map<number, number> {
    if (this.numbers !== undefined) return this.numbers;
    const numbers = this.numbers = new Map<number, number>();
    for (let span = 0; span < this.spans; span++) numbers.set(this.starts[span]!, span);
    return numbers;
  }

  private growSpans(): void {
    const before = this.starts.length;
    const length = before * 2;
    this.starts = grownDoubles(this.starts, length);
    this.ends = grownDoubles(this.ends, length);
    this.classes = grownInt32s(this.classes, length).fill(NOT_THERE, before);
  }
}
