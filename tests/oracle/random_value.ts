/** Random values of all types, few enough that two are often equal. The same draws give the same values for ever. */
import { Binary, BSONRegExp, Decimal128, Double, Int32, Long, ObjectId, Timestamp } from "bson";
import type { Random } from "../../src/base/mod.ts";

/** When random times begin. */
export const START_MS = Date.UTC(2024, 0, 1);

/**
 * Of types that few documents have, and numbers at the ends of theirs; not MinKey and MaxKey, see
 * types_in_accumulators.yaml.
 */
const RARE_VALUES: readonly unknown[] = [
  new ObjectId("65920080a1b2c3d4e5f60718"),
  new Binary(new Uint8Array([1, 2, 250])),
  new Timestamp({ t: 1704067200, i: 1 }),
  new BSONRegExp("^h", "i"),
  new Int32(2147483647),
  Long.fromString("9007199254740993"),
  new Double(1e300),
  Decimal128.fromString("1E+3"),
  Decimal128.fromString("NaN"),
];
/** Draws values. */
export class RandomValues {
  constructor(private readonly random: Random) {}

  /** @param depth how deep arrays and documents may be nested */
  value(depth: number): unknown {
    if (depth > 0 && this.#below(4) === 0) {
      return this.#below(2) === 0
        ? Array.from({ length: this.#below(4) }, () => this.value(depth - 1))
        : { x: this.value(depth - 1), ...(this.#below(2) === 0 ? { y: this.value(0) } : {}) };
    }
    return this.#pick<() => unknown>([
      () => this.number(),
      () => this.number(),
      () => this.number(),
      () => this.#pick(["", "x", "h1", "xyz", "1", "X", "10", "2"]),
      () => null,
      () => this.#below(2) === 0,
      () => new Date(START_MS + this.#below(5) * 3_600_000),
      () => this.#below(3) === 0 ? this.#pick(RARE_VALUES) : this.number(),
    ])();
  }

  /** A small number of any type, now and then none. */
  number(): unknown {
    const value = this.#below(9) - 2;
    return this.#pick<() => unknown>([
      () => new Int32(value),
      () => new Int32(value),
      () => new Double(value / 2),
      () => new Double(value),
      () => Long.fromInt(value),
      () => Decimal128.fromString(`${value}.5`),
      () => new Double(this.#pick([NaN, Infinity, -0])),
    ])();
  }

  #below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#below(from.length)] as T;
  }
}
