/**
 * `$covariancePop`, `$covarianceSamp`: of two numbers a row; rows without both are left out. Means and the sum of products
 * of differences are kept up to date pair by pair, as they come and go (B. P. Welford's method for two variables): with a
 * pair come the products of how far x is from the mean without it and y from the mean with it.
 */
import { isArray, isNumber, type Value } from "../../bson/mod.ts";
import { divide, multiply, subtract } from "../expression/arithmetic.ts";
import { asDouble, type NumberValue } from "../expression/number.ts";
import { parseExpression } from "../expression/parse.ts";
import { parseBounds, windowEnds } from "./bounds.ts";
import { RemovableSum } from "./removable_sum.ts";
import { SlidingRows } from "./sliding_rows.ts";
import {
  eachWindow,
  inputValues,
  type WindowDefinition,
  type WindowNode,
  type WindowSpec,
} from "./window.ts";

type Pair = readonly [x: NumberValue, y: NumberValue];

class Covariance {
  /** Of the pairs of finite numbers. */
  private count = 0;
  private x = new RemovableSum();
  private y = new RemovableSum();
  private products = new RemovableSum();

  /** What is no pair counts for nothing. */
  add(pair: Pair | undefined): void {
    if (pair === undefined) return;
    const [x, y] = pair;
    const notFinite = notFiniteOf(pair);
    if (notFinite.length > 0) return notFinite.forEach((value) => this.products.add(value));
    const meanX = this.x.average();
    this.count++;
    this.x.add(x);
    this.y.add(y);
    if (this.count > 1) this.products.add(multiply(subtract(x, meanX), subtract(y, this.y.average())));
  }

  /** Takes away a pair that was added. */
  remove(pair: Pair | undefined): void {
    if (pair === undefined) return;
    const [x, y] = pair;
    const notFinite = notFiniteOf(pair);
    if (notFinite.length > 0) return notFinite.forEach((value) => this.products.remove(value));
    if (--this.count === 0) return this.reset();
    const deltaY = subtract(y, this.y.average());
    this.x.remove(x);
    this.y.remove(y);
    this.products.remove(multiply(subtract(x, this.x.average()), deltaY));
  }

  private reset(): void {
    this.x = new RemovableSum();
    this.y = new RemovableSum();
    this.products = new RemovableSum();
  }

  /** @param lost degrees of freedom lost: 1 for a sample, 0 for the population */
  result(lost: 0 | 1): Value {
    const freedom = this.count - lost;
    if (freedom <= 0) return null;
    return this.count === 1 ? 0 : divide(this.products.result(), freedom);
  }
}

/** These stand for themselves in the sum of products. */
function notFiniteOf(pair: Pair): readonly NumberValue[] {
  return pair.filter((value) => !Number.isFinite(asDouble(value)))
    .map((value) => Number.isNaN(asDouble(value)) ? NaN : value);
}

function parse(spec: WindowSpec): WindowNode {
  const bounds = parseBounds(spec.window, spec.sortBy);
  const input = parseExpression(spec.argument, spec.context);
  return { kind: "window", name: spec.name, input, bounds };
}

function pairOf(value: Value): Pair | undefined {
  if (!isArray(value) || value.length !== 2) return undefined;
  const [x, y] = value;
  return isNumber(x) && isNumber(y) ? [x, y] : undefined;
}

function compute(lost: 0 | 1): WindowDefinition["compute"] {
  return ({ bounds }, input, partition) => {
    const values = inputValues(input, partition);
    const covariance = new Covariance();
    const rows = new SlidingRows(
      (row) => covariance.add(pairOf(values.at(row))),
      (row) => covariance.remove(pairOf(values.at(row))),
    );
    return eachWindow(windowEnds(bounds, partition), partition, (from, to) => {
      rows.moveTo(from, to);
      return covariance.result(lost);
    });
  };
}

export const COVARIANCE: readonly WindowDefinition[] = [
  { name: "$covariancePop", parse, compute: compute(0) },
  { name: "$covarianceSamp", parse, compute: compute(1) },
];
