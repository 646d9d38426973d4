/**
 * Whether rows of a group came in order of time. Series are read one after another, so rows of a group of many of them
 * mostly do not; what its outputs hold may be the same all the same.
 */
import { grownBytes, grownDoubles, NO_BYTES, NO_DOUBLES } from "../../../column/mod.ts";
import type { OutputState } from "./output_state.ts";

export class GroupOrder {
  /** Of each group the latest time so far. */
  private latest = NO_DOUBLES;
  /** 0 for groups that nothing has been added to, 1 for those in order, 2 for those out of it. */
  private marks = NO_BYTES;
  /** Whether the order has made a difference so far. */
  isSpoilt = false;

  constructor(private readonly states: readonly OutputState[]) {}

  /** Makes room for groups below `groups`. */
  reserve(groups: number): void {
    this.latest = grownDoubles(this.latest, groups);
    this.marks = grownBytes(this.marks, groups);
  }

  /** Rows from `firstMs` to `lastMs`, in order, are in the group now. */
  add(group: number, firstMs: number, lastMs: number): void {
    if (this.marks[group] === 0 || firstMs >= this.latest[group]!) {
      if (this.marks[group] === 0) this.marks[group] = 1;
      this.latest[group] = lastMs;
    } else if (this.marks[group] === 1) {
      this.marks[group] = 2;
      if (!this.isFree(group)) this.isSpoilt = true;
    }
  }

  /** Whether the order made a difference to a group that is out of it. */
  matters(): boolean {
    return this.isSpoilt || this.marks.some((mark, group) => mark === 2 && !this.isFree(group));
  }

  private isFree(group: number): boolean {
    return this.states.every((state) => state.isOrderFree(group));
  }
}
