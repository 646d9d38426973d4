/** `$sum`, `$avg`, `$count`: compensated sums; what is no number counts as nothing. */
import { Int32, isArray, isNumber, type Value } from "../../bson/mod.ts";
import * as decimals from "../expression/decimal_arithmetic.ts";
import { asDouble, numberToIntOrLong } from "../expression/number.ts";
import { Summation } from "../expression/summation.ts";
import type { Accumulator, AccumulatorDefinition } from "./accumulator.ts";

class Sum implements Accumulator {
  private readonly total = new Summation();

  add(value: Value): void {
    if (isNumber(value)) this.total.add(value);
  }

  partial(): Value {
    return this.total.partial();
  }

  merge(partial: Value): void {
    if (isArray(partial)) this.total.merge(partial);
  }

  result(): Value {
    return this.total.result();
  }
}

class Average implements Accumulator {
  private readonly total = new Summation();
  private count = 0;

  add(value: Value): void {
    if (!isNumber(value)) return;
    this.total.add(value);
    this.count++;
  }

  partial(): Value {
    return [this.count, this.total.partial()];
  }

  merge(partial: Value): void {
    const [count, total] = partial as [number, readonly Value[]];
    this.count += count;
    this.total.merge(total);
  }

  result(): Value {
    if (this.count === 0) return null;
    if (!this.total.isDecimal) return this.total.toDouble() / this.count;
    return decimals.putTogether(
      decimals.divide(this.total.toDecimal(), decimals.fromInteger(BigInt(this.count))),
    );
  }
}

class Count implements Accumulator {
  private count = 0;

  add(_value: Value): void {
    this.count++;
  }

  partial(): Value {
    return this.result();
  }

  merge(partial: Value): void {
    if (partial instanceof Int32 || typeof partial === "bigint") this.count += asDouble(partial);
  }

  result(): Value {
    return numberToIntOrLong(this.count);
  }
}

export const createSum = (): Accumulator => new Sum();
export const createAverage = (): Accumulator => new Average();
export const createCount = (): Accumulator => new Count();

export const SUM: readonly AccumulatorDefinition[] = [
  { name: "$avg", create: createAverage },
  { name: "$sum", create: createSum },
];
