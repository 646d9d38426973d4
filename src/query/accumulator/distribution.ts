/**
 * ChronoGo's own accumulators about how values are spread:
 *
 *     $spread      greatest value − least value
 *     $histogram   `{input, boundaries: [b0, b1, … bn]}`: how many values lie in [b0, b1), [b1, b2) …, below b0, and from bn on
 *
 * Values that are no numbers count as nothing.
 */
import { CommandError } from "../../base/mod.ts";
import { BuiltDocument, compareValues, Document, isArray, isNumber, type Value } from "../../bson/mod.ts";
import { subtract } from "../expression/arithmetic.ts";
import type { ParseContext } from "../expression/expression.ts";
import { asDouble, numberToIntOrLong } from "../expression/number.ts";
import type { Parse } from "../expression/operator.ts";
import { elementText } from "../element_text.ts";
import type { Accumulator, AccumulatorDefinition, AccumulatorNode } from "./accumulator.ts";
import { createExtreme } from "./extremes.ts";

const MAX_BOUNDARIES = 10_000;

class Spread implements Accumulator {
  private readonly least = createExtreme(1);
  private readonly greatest = createExtreme(-1);

  add(value: Value): void {
    if (!isNumber(value)) return;
    this.least.add(value);
    this.greatest.add(value);
  }

  partial(): Value {
    return [this.least.partial(), this.greatest.partial()];
  }

  merge(partial: Value): void {
    if (isArray(partial)) partial.forEach((value) => this.add(value));
  }

  result(): Value {
    return subtract(this.greatest.result(), this.least.result());
  }
}

class Histogram implements Accumulator {
  /** Below the first boundary, between two, from the last one on. */
  private readonly counts: number[];

  constructor(private readonly boundaries: readonly number[]) {
    this.counts = new Array<number>(boundaries.length + 1).fill(0);
  }

  add(value: Value): void {
    if (!isNumber(value)) return;
    const x = asDouble(value);
    if (!Number.isNaN(x)) this.counts[this.placeOf(x)]!++;
  }

  /** How many boundaries are not above `x`. */
  private placeOf(x: number): number {
    let low = 0;
    let high = this.boundaries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.boundaries[middle]! <= x) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  partial(): Value {
    return this.counts.map(numberToIntOrLong);
  }

  merge(partial: Value): void {
    if (!isArray(partial)) return;
    partial.forEach((count, i) => {
      if (isNumber(count)) this.counts[i]! += asDouble(count);
    });
  }

  result(): Value {
    const counts = this.counts.map(numberToIntOrLong);
    return BuiltDocument.of({ below: counts[0], counts: counts.slice(1, -1), above: counts.at(-1) });
  }
}

function parseHistogram(name: string, value: Value, context: ParseContext, parse: Parse): AccumulatorNode {
  if (!(value instanceof Document) || !value.has("input") || !value.has("boundaries")) {
    throw failure(`${name} takes an object {input, boundaries}`);
  }
  const unknown = value.names().find((field) => field !== "input" && field !== "boundaries");
  if (unknown !== undefined) throw failure(`unrecognized option to ${name}: '${unknown}'`);
  return {
    kind: "accumulator",
    name,
    input: parse(value.get("input"), context),
    boundaries: parseBoundaries(name, value.get("boundaries")),
  };
}

function parseBoundaries(name: string, value: Value): readonly number[] {
  const isAscending = isArray(value) && value.length >= 2 && value.length <= MAX_BOUNDARIES &&
    value.every((each, i) => isNumber(each) && (i === 0 || compareValues(value[i - 1], each) < 0));
  if (!isAscending) {
    throw failure(
      `${name} requires 'boundaries' to be two to ${MAX_BOUNDARIES} ascending numbers, found ` +
        elementText("boundaries", value),
    );
  }
  return value.map((each) => isNumber(each) ? asDouble(each) : NaN);
}

function failure(message: string): CommandError {
  return new CommandError("FailedToParse", message);
}

export const DISTRIBUTION: readonly AccumulatorDefinition[] = [
  {
    name: "$histogram",
    parse: parseHistogram,
    create: ({ boundaries }) => new Histogram(boundaries ?? []),
  },
  { name: "$spread", create: () => new Spread() },
];
