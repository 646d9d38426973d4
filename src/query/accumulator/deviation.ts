/**
 * `$stdDevPop`, `$stdDevSamp`: mean and sum of squared differences, kept up to date value by value (B. P. Welford,
 * "Note on a Method for Calculating Corrected Sums of Squares and Products", 1962) and merged after Chan, Golub and
 * LeVeque (1979). Everything is a double, decimals too; what is no number is left out.
 */
import { isNumber, type Value } from "../../bson/mod.ts";
import { asDouble } from "../expression/number.ts";
import type { Accumulator, AccumulatorDefinition } from "./accumulator.ts";

class Deviation implements Accumulator {
  private count = 0;
  private mean = 0;
  private squares = 0;

  /** @param lost degrees of freedom lost: 1 for a sample, 0 for the population */
  constructor(private readonly lost: 0 | 1) {}

  add(value: Value): void {
    if (!isNumber(value)) return;
    const x = asDouble(value);
    this.count++;
    const delta = x - this.mean;
    if (delta === 0) return;
    this.mean += delta / this.count;
    this.squares += delta * (x - this.mean);
  }

  partial(): Value {
    return [this.count, this.mean, this.squares];
  }

  merge(partial: Value): void {
    const [count, mean, squares] = partial as [number, number, number];
    if (count === 0) return;
    if (this.count === 0) {
      // As it is: the general way would round it.
      this.count = count;
      this.mean = mean;
      this.squares = squares;
      return;
    }
    const delta = mean - this.mean;
    const total = this.count + count;
    if (delta !== 0) {
      this.mean = (this.count * this.mean + count * mean) / total;
      this.squares += delta * delta * (this.count * count / total);
    }
    this.squares += squares;
    this.count = total;
  }

  result(): Value {
    const freedom = this.count - this.lost;
    return freedom <= 0 ? null : Math.sqrt(this.squares / freedom);
  }
}

export const createDeviation = (lost: 0 | 1): Accumulator => new Deviation(lost);

export const DEVIATION: readonly AccumulatorDefinition[] = [
  { name: "$stdDevPop", create: () => createDeviation(0) },
  { name: "$stdDevSamp", create: () => createDeviation(1) },
];
