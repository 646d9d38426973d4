/**
 * `$percentile`, `$median`: of numbers, by a t-digest; what is no number is left out. The results are doubles. Codes and
 * words are those of MongoDB 7.0 (its pages of $percentile and $median, and accumulator_percentile.cpp).
 */
import { CommandError } from "../../base/mod.ts";
import { Document, isArray, isNumber, type Value } from "../../bson/mod.ts";
import type { Expression, ParseContext } from "../expression/expression.ts";
import { renderElement, typeName } from "../expression/message.ts";
import { asDouble } from "../expression/number.ts";
import type { Parse } from "../expression/operator.ts";
import type { Accumulator, AccumulatorDefinition, AccumulatorNode } from "./accumulator.ts";
import { TDigest } from "./t_digest.ts";

const MEDIAN = 0.5;

class Percentiles implements Accumulator {
  private readonly digest = new TDigest();

  /** @param ranks those that are asked for; undefined for the median alone */
  constructor(private readonly ranks: readonly number[] | undefined) {}

  get keptBytes(): number {
    return this.digest.sizeBytes;
  }

  add(value: Value): void {
    if (isNumber(value)) this.digest.add(asDouble(value));
  }

  partial(): Value {
    return this.digest.state();
  }

  merge(partial: Value): void {
    if (isArray(partial)) this.digest.mergeState(partial.filter((x) => typeof x === "number"));
  }

  result(): Value {
    if (this.ranks === undefined) return this.digest.percentile(MEDIAN) ?? null;
    return this.ranks.map((p) => this.digest.percentile(p) ?? null);
  }
}

/** The parts of the argument. */
export interface PercentileArgument {
  readonly input: Value;
  /** Undefined for `$median`. */
  readonly p: Value;
}

/** @throws CommandError */
export function splitPercentile(name: string, value: Value): PercentileArgument {
  const isMedian = name === "$median";
  if (!(value instanceof Document)) {
    throw new CommandError(
      isMedian ? 7436100 : 7429703,
      `specification must be an object; found ${name}: ${renderElement(value)}`,
    );
  }
  const fields = isMedian ? ["input", "method"] : ["input", "p", "method"];
  const unknown = value.names().find((field) => !fields.includes(field));
  if (unknown !== undefined) {
    throw new CommandError(40415, `BSON field '${name}.${unknown}' is an unknown field.`);
  }
  const missing = fields.find((field) => !value.has(field));
  if (missing !== undefined) {
    throw new CommandError(40414, `BSON field '${name}.${missing}' is missing but a required field`);
  }
  const method = value.get("method");
  if (typeof method !== "string") {
    throw new CommandError(
      "TypeMismatch",
      `BSON field '${name}.method' is the wrong type '${typeName(method)}', expected type 'string'`,
    );
  }
  if (method !== "approximate") {
    throw new CommandError(
      "BadValue",
      "Currently only 'approximate' can be used as percentile 'method'.",
    );
  }
  return { input: value.get("input"), p: value.get("p") };
}

/** @throws CommandError unless it is a list of shares in [0, 1] */
export function ranksOf(p: Value): readonly number[] {
  const refusal = (found: Value) =>
    new CommandError(
      7750300,
      "The $percentile 'p' field must be an array of numbers from [0.0, 1.0], but found: " +
        renderElement(found),
    );
  if (!isArray(p) || p.length === 0) throw refusal(p);
  return p.map((rank) => {
    const share = isNumber(rank) ? asDouble(rank) : NaN;
    if (!(share >= 0 && share <= 1)) throw refusal(rank);
    return share;
  });
}

function parse(name: string, value: Value, context: ParseContext, parseInner: Parse): AccumulatorNode {
  const { input, p } = splitPercentile(name, value);
  const node = { kind: "accumulator", name, input: parseInner(input, context) } as const;
  return name === "$median" ? node : { ...node, ranks: ranksOf(constantOf(parseInner(p, context))) };
}

/** What a list of constants is. @throws CommandError for what depends on a row */
function constantOf(expression: Expression): Value {
  if (expression.kind === "constant") return expression.value;
  if (expression.kind === "array") return expression.items.map(constantOf);
  throw new CommandError(
    7750301,
    "The $percentile 'p' field must be a constant expression",
  );
}

export const createPercentiles = (ranks: readonly number[] | undefined): Accumulator =>
  new Percentiles(ranks);

export const PERCENTILE: readonly AccumulatorDefinition[] = [
  { name: "$median", parse, create: () => createPercentiles(undefined) },
  { name: "$percentile", parse, create: (node) => createPercentiles(node.ranks ?? []) },
];
