/** `$first`, `$last`, `$firstN`, `$lastN`: by the order in which rows come; a missing value counts as null. */
import { isArray, type Value } from "../../bson/mod.ts";
import { approximateBytes, detached } from "../memory.ts";
import type { Accumulator, AccumulatorDefinition } from "./accumulator.ts";
import { parseWithN } from "./n_argument.ts";

class First implements Accumulator {
  private value: Value = undefined;

  get isDone(): boolean {
    return this.value !== undefined;
  }

  add(value: Value): void {
    if (this.value === undefined) this.value = value === undefined ? null : value;
  }

  partial(): Value {
    return this.result();
  }

  merge(partial: Value): void {
    this.add(partial);
  }

  result(): Value {
    return this.value === undefined ? null : this.value;
  }
}

class Last implements Accumulator {
  private value: Value = null;

  add(value: Value): void {
    this.value = value === undefined ? null : value;
  }

  partial(): Value {
    return this.value;
  }

  merge(partial: Value): void {
    this.add(partial);
  }

  result(): Value {
    return this.value;
  }
}

class FirstN implements Accumulator {
  keptBytes = 0;
  private readonly values: Value[] = [];

  constructor(private readonly n: number) {}

  add(value: Value): void {
    if (this.values.length >= this.n) return;
    const own = value === undefined ? null : detached(value);
    this.values.push(own);
    this.keptBytes += approximateBytes(own);
  }

  partial(): Value {
    return this.values;
  }

  merge(partial: Value): void {
    if (isArray(partial)) partial.forEach((value) => this.add(value));
  }

  result(): Value {
    return this.values;
  }
}

/** A ring of the last values. */
class LastN implements Accumulator {
  keptBytes = 0;
  private readonly ring: Value[] = [];
  private next = 0;

  constructor(private readonly n: number) {}

  add(value: Value): void {
    if (this.next < this.ring.length) this.keptBytes -= approximateBytes(this.ring[this.next]);
    const own = value === undefined ? null : detached(value);
    this.ring[this.next] = own;
    this.keptBytes += approximateBytes(own);
    this.next = this.next + 1 === this.n ? 0 : this.next + 1;
  }

  partial(): Value {
    return this.result();
  }

  merge(partial: Value): void {
    if (isArray(partial)) partial.forEach((value) => this.add(value));
  }

  result(): Value {
    if (this.ring.length < this.n) return this.ring;
    return [...this.ring.slice(this.next), ...this.ring.slice(0, this.next)];
  }
}

export const POSITION: readonly AccumulatorDefinition[] = [
  { name: "$first", create: () => new First() },
  { name: "$firstN", parse: parseWithN, create: (_, n) => new FirstN(n) },
  { name: "$last", create: () => new Last() },
  { name: "$lastN", parse: parseWithN, create: (_, n) => new LastN(n) },
];

export const createFirstN = (n: number): Accumulator => new FirstN(n);
export const createLastN = (n: number): Accumulator => new LastN(n);
