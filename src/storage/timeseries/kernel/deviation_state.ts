/**
 * `$stdDevPop` and `$stdDevSamp`: of each group count, mean and sum of squared differences, by Welford's method as
 * query/accumulator/deviation.ts has it.
 */
import type { Value } from "../../../bson/mod.ts";
import { grownDoubles, NO_DOUBLES, ValueType } from "../../../column/mod.ts";
import type { ColumnView } from "./column_view.ts";
import type { FoldedOutput } from "./fragment.ts";
import { FoldedState } from "./output_state.ts";

export class DeviationState extends FoldedState {
  private counts = NO_DOUBLES;
  private means = NO_DOUBLES;
  private squares = NO_DOUBLES;

  constructor(output: FoldedOutput) {
    super(output, output.path);
  }

  override reserve(groups: number): void {
    this.counts = grownDoubles(this.counts, groups);
    this.means = grownDoubles(this.means, groups);
    this.squares = grownDoubles(this.squares, groups);
  }

  protected override fold(
    view: ColumnView,
    indexes: Int32Array | undefined,
    from: number,
    to: number,
    group: number,
  ): boolean {
    if (view.type === ValueType.Date) return true;
    const numbers = view.numbers!;
    let count = this.counts[group]!;
    let mean = this.means[group]!;
    let squares = this.squares[group]!;
    for (let k = from; k < to; k++) {
      const x = indexes === undefined ? numbers[k]! : numbers[indexes[k]!]!;
      count++;
      const delta = x - mean;
      if (delta === 0) continue;
      mean += delta / count;
      squares += delta * (x - mean);
    }
    this.counts[group] = count;
    this.means[group] = mean;
    this.squares[group] = squares;
    return true;
  }

  protected override foldedPartial(group: number): Value {
    return [this.counts[group]!, this.means[group]!, this.squares[group]!];
  }
}
