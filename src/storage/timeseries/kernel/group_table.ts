/**
 * Which group the rows of a series and a span of time are in. Spans are numbered as they are met; each remembers which one
 * came after it last time, so that series after series walks through them without a search.
 *
 *     span n           [starts[n], ends[n]), followers[n]
 *     class c, span n  group groups[c][n], or NO_GROUP; of span 0 firstGroups[c]
 */
import type { Value } from "../../../bson/mod.ts";
import { grownInt32 } from "../../../column/mod.ts";
import type { GroupKeys } from "./fragment.ts";
import { grownDoubles } from "./output_state.ts";

const NO_GROUP = -1;
const INITIAL_SPANS = 16;
const INITIAL_CLASSES = 16;
const NO_GROUPS = new Int32Array(0);

export class GroupTable {
  private starts = new Float64Array(INITIAL_SPANS);
  private ends = new Float64Array(INITIAL_SPANS);
  private followers: Int32Array = new Int32Array(INITIAL_SPANS);
  private readonly numbers = new Map<number, number>();
  private spans = 0;
  private current = 0;
  /** Of span 0, by class: where time does not part rows, that is all. */
  private firstGroups: Int32Array = new Int32Array(INITIAL_CLASSES).fill(NO_GROUP);
  private readonly groups: (Int32Array | undefined)[] = [];
  private own: Int32Array = NO_GROUPS;
  private seriesClass = 0;
  private meta: Value = undefined;

  constructor(private readonly keys: GroupKeys) {}

  /** Rows of this series follow. */
  enter(meta: Value): void {
    this.meta = meta;
    this.seriesClass = this.keys.classOf(meta);
    this.own = this.groups[this.seriesClass] ?? NO_GROUPS;
    const classes = this.firstGroups.length;
    if (this.seriesClass >= classes) {
      this.firstGroups = grownInt32(this.firstGroups, 2 * classes).fill(NO_GROUP, classes);
    }
  }

  /** Moves to the span of a time. @returns where it ends */
  moveTo(ms: number): number {
    if (this.spans === 0 || !this.holds(this.current, ms)) {
      const follower = this.spans === 0 ? 0 : this.followers[this.current]!;
      const found = this.spans > 0 && this.holds(follower, ms) ? follower : this.find(ms);
      this.followers[this.current] = found;
      this.current = found;
    }
    return this.ends[this.current]!;
  }

  /** The group of the rows that were entered and moved to; `ms` is the time of one of them. */
  group(ms: number): number {
    const { current } = this;
    if (current === 0) return this.firstGroup(ms);
    if (current >= this.own.length) this.growGroups();
    const known = this.own[current]!;
    if (known !== NO_GROUP) return known;
    return this.own[current] = this.keys.groupOf(this.seriesClass, this.meta, ms);
  }

  private firstGroup(ms: number): number {
    const { seriesClass } = this;
    const known = this.firstGroups[seriesClass]!;
    if (known !== NO_GROUP) return known;
    return this.firstGroups[seriesClass] = this.keys.groupOf(seriesClass, this.meta, ms);
  }

  private holds(span: number, ms: number): boolean {
    return ms >= this.starts[span]! && ms < this.ends[span]!;
  }

  private find(ms: number): number {
    const { fromMs, endMs } = this.keys.spanOf(ms);
    const known = this.numbers.get(fromMs);
    if (known !== undefined && this.ends[known] === endMs) return known;
    const span = this.spans++;
    if (span === this.starts.length) this.growSpans();
    this.starts[span] = fromMs;
    this.ends[span] = endMs;
    this.numbers.set(fromMs, span);
    return span;
  }

  private growSpans(): void {
    const length = this.starts.length * 2;
    this.starts = grownDoubles(this.starts, length);
    this.ends = grownDoubles(this.ends, length);
    this.followers = grownInt32(this.followers, length);
  }

  private growGroups(): void {
    const before = this.own.length;
    const length = Math.max(before * 2, this.starts.length);
    this.own = grownInt32(this.own, length).fill(NO_GROUP, before);
    this.groups[this.seriesClass] = this.own;
  }
}
