/**
 * `$covariancePop`, `$covarianceSamp`: of two numbers a row; rows without both are left out. Means and the sum of products
 * of differences are kept up to date value by value (B. P. Welford's method for two variables).
 */
import { isArray, isNumber, type Value } from "../../bson/mod.ts";
import { add, divide, multiply, subtract } from "../expression/arithmetic.ts";
import type { NumberValue } from "../expression/number.ts";
import { parseExpression } from "../expression/parse.ts";
import { parseBounds, windowEnds } from "./bounds.ts";
import { inputValues, type WindowDefinition, type WindowNode, type WindowSpec } from "./window.ts";

type Pair = readonly [x: NumberValue, y: NumberValue];

class Covariance {
  private count = 0;
  private meanX: Value = 0;
  private meanY: Value = 0;
  private products: Value = 0;

  add([x, y]: Pair): void {
    this.count++;
    const deltaX = subtract(x, this.meanX);
    this.meanX = add(this.meanX, divide(deltaX, this.count));
    this.meanY = add(this.meanY, divide(subtract(y, this.meanY), this.count));
    this.products = add(this.products, multiply(deltaX, subtract(y, this.meanY)));
  }

  /** @param lost degrees of freedom lost: 1 for a sample, 0 for the population */
  result(lost: 0 | 1): Value {
    const freedom = this.count - lost;
    return freedom <= 0 ? null : divide(this.products, freedom);
  }
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
    const { from, to } = windowEnds(bounds, partition);
    const pairs = inputValues(input, partition).map(pairOf);
    let covariance = new Covariance();
    let taken = 0;
    return partition.rows.map((_, i) => {
      if (bounds.lower !== undefined) {
        covariance = new Covariance();
        taken = from[i]!;
      }
      for (; taken < to[i]!; taken++) {
        const pair = pairs[taken];
        if (pair !== undefined) covariance.add(pair);
      }
      return covariance.result(lost);
    });
  };
}

export const COVARIANCE: readonly WindowDefinition[] = [
  { name: "$covariancePop", parse, compute: compute(0) },
  { name: "$covarianceSamp", parse, compute: compute(1) },
];
