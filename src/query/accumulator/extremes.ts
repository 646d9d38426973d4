/** `$min`, `$max`, `$minN`, `$maxN`: in BSON order over all types; missing and null are left out. */
import { type Collation, isArray, isNullish, type Value, valueOrder } from "../../bson/mod.ts";
import { approximateBytes, detached } from "../memory.ts";
import type { Accumulator, AccumulatorDefinition } from "./accumulator.ts";
import { parseWithN } from "./n_argument.ts";

class Extreme implements Accumulator {
  private best: Value = undefined;

  /** @param sense 1 keeps the least, −1 the greatest */
  constructor(private readonly sense: 1 | -1, private readonly compare: (a: Value, b: Value) => number) {}

  add(value: Value): void {
    if (isNullish(value)) return;
    if (this.best === undefined || this.sense * this.compare(this.best, value) > 0) this.best = value;
  }

  partial(): Value {
    return this.result();
  }

  merge(partial: Value): void {
    this.add(partial);
  }

  result(): Value {
    return this.best === undefined ? null : this.best;
  }
}

/**
 * Keeps its values sorted, best first. Equal ones of different types are kept as by MongoDB: the first that came stay; the least
 * stand in the order they came, the greatest in the reverse.
 */
class Extremes implements Accumulator {
  keptBytes = 0;
  private readonly kept: Value[] = [];

  constructor(
    private readonly sense: 1 | -1,
    private readonly n: number,
    private readonly compare: (a: Value, b: Value) => number,
  ) {}

  add(value: Value): void {
    if (isNullish(value)) return;
    if (this.kept.length === this.n) {
      if (this.sense * this.compare(value, this.kept[this.n - 1]) >= 0) return;
      this.keptBytes -= approximateBytes(this.kept.pop());
    }
    const own = detached(value);
    this.kept.splice(this.placeOf(own), 0, own);
    this.keptBytes += approximateBytes(own);
  }

  /** Behind all that are better than `value`, and on the side of its equals where the later ones stand. */
  private placeOf(value: Value): number {
    let from = 0;
    let to = this.kept.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const order = this.compare(value, this.kept[middle]);
      if (this.sense > 0 ? order < 0 : order >= 0) to = middle;
      else from = middle + 1;
    }
    return from;
  }

  partial(): Value {
    return this.kept;
  }

  merge(partial: Value): void {
    if (!isArray(partial)) return;
    const inOrder = this.sense > 0 ? partial : partial.toReversed();
    inOrder.forEach((value) => this.add(value));
  }

  result(): Value {
    return this.kept;
  }
}

export const createExtreme = (sense: 1 | -1, collation?: Collation): Accumulator =>
  new Extreme(sense, valueOrder(collation));
export const createExtremes = (sense: 1 | -1, n: number, collation?: Collation): Accumulator =>
  new Extremes(sense, n, valueOrder(collation));

export const EXTREMES: readonly AccumulatorDefinition[] = [
  { name: "$max", create: (node) => createExtreme(-1, node.collation) },
  { name: "$maxN", parse: parseWithN, create: (node, n) => createExtremes(-1, n, node.collation) },
  { name: "$min", create: (node) => createExtreme(1, node.collation) },
  { name: "$minN", parse: parseWithN, create: (node, n) => createExtremes(1, n, node.collation) },
];
