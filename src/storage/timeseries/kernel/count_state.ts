/** `$count`: how many rows each group has. */
import { Int32, type Value } from "../../../bson/mod.ts";
import { grownDoubles, NO_DOUBLES } from "../../../column/mod.ts";
import type { OutputState } from "./output_state.ts";
import type { Runs } from "./run_batch.ts";
import type { SliceSource } from "./slice_source.ts";

const INT32_MAX = 2 ** 31 - 1;

export class CountState implements OutputState {
  private counts = NO_DOUBLES;

  reserve(groups: number): void {
    this.counts = grownDoubles(this.counts, groups);
  }

  add(
    _source: SliceSource,
    _rows: Int32Array | undefined,
    from: number,
    to: number,
    group: number,
  ): void {
    this.counts[group]! += to - from;
  }

  addRuns({ starts, ends, groups, count }: Runs): void {
    const { counts } = this;
    for (let i = 0; i < count; i++) counts[groups[i]!]! += ends[i]! - starts[i]!;
  }

  /** Takes rows of several groups. */
  addEach(groups: Int32Array, count: number): void {
    const { counts } = this;
    for (let k = 0; k < count; k++) counts[groups[k]!]!++;
  }

  addRow(_row: unknown, group: number): void {
    this.counts[group]!++;
  }

  addPage(): boolean {
    return false;
  }

  partial(group: number): Value {
    const count = this.counts[group]!;
    return count <= INT32_MAX ? Int32.of(count) : BigInt(count);
  }

  isOrderFree(): boolean {
    return true;
  }

  result(group: number): Value {
    return this.partial(group);
  }
}
