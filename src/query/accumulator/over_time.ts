/**
 * ChronoGo's own accumulators over values in the order of their times:
 *
 *     $delta      last value − first value, of a gauge
 *     $increase   what a counter counted: the sum of its steps, a step down being a reset to 0
 *     $rate       $increase by the time from the first to the last row, in a unit (a second)
 *     $twa        average weighted by time: the area under the values by the time from the first to the last row
 *
 * The argument is `{input, timestamp, …}`; `$timeWindow`, which knows the times, adds `timestamp` by itself. Rows must come
 * in order of time. Values that are no numbers, and rows without a date, count as nothing.
 */
import { CommandError } from "../../base/mod.ts";
import { BuiltDocument, Document, isArray, isNumber, UtcDate, type Value } from "../../bson/mod.ts";
import { subtract } from "../expression/arithmetic.ts";
import type { Expression, ParseContext } from "../expression/expression.ts";
import { asDouble, type NumberValue } from "../expression/number.ts";
import type { Parse } from "../expression/operator.ts";
import { Summation } from "../expression/summation.ts";
import { elementText } from "../element_text.ts";
import type { Accumulator, AccumulatorDefinition, AccumulatorNode } from "./accumulator.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  millisecond: 1,
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};
const METHODS = ["linear", "previous"];

/** A value and its time, in milliseconds since 1970. */
interface Sample {
  readonly ms: number;
  readonly value: NumberValue;
}

/** Takes `[timestamp, value]` and hands on what is a sample. */
abstract class OverTime implements Accumulator {
  protected first: Sample | undefined;
  protected last: Sample | undefined;

  add(pair: Value): void {
    const [timestamp, value] = pair as [Value, Value];
    if (timestamp instanceof UtcDate && isNumber(value)) this.follow({ ms: timestamp.ms, value });
  }

  private follow(sample: Sample): void {
    if (this.last !== undefined) this.step(this.last, sample);
    this.first ??= sample;
    this.last = sample;
  }

  partial(): Value {
    const { first, last } = this;
    if (first === undefined || last === undefined) return null;
    return [new UtcDate(first.ms), first.value, new UtcDate(last.ms), last.value, this.held()];
  }

  /** What the other one holds lies behind: the step between the two counts as well. */
  merge(partial: Value): void {
    if (!isArray(partial)) return;
    const [firstTime, firstValue, lastTime, lastValue, held] = partial as [
      UtcDate,
      NumberValue,
      UtcDate,
      NumberValue,
      Value,
    ];
    this.follow({ ms: firstTime.ms, value: firstValue });
    this.take(held);
    this.last = { ms: lastTime.ms, value: lastValue };
  }

  /** The time from the first to the last sample, in milliseconds. */
  protected get spanMs(): number {
    return this.first === undefined || this.last === undefined ? 0 : this.last.ms - this.first.ms;
  }

  /** From one sample to the next. */
  protected abstract step(from: Sample, to: Sample): void;
  /** What the steps gave so far, and its way into another one. */
  protected abstract held(): Value;
  protected abstract take(held: Value): void;
  abstract result(): Value;
}

class Delta extends OverTime {
  protected step(): void {}

  protected held(): Value {
    return null;
  }

  protected take(): void {}

  result(): Value {
    return this.first === undefined ? null : subtract(this.last!.value, this.first.value);
  }
}

class Increase extends OverTime {
  protected readonly total = new Summation();

  protected step(from: Sample, to: Sample): void {
    const isReset = asDouble(to.value) < asDouble(from.value);
    const increment = isReset ? to.value : subtract(to.value, from.value);
    if (isNumber(increment)) this.total.add(increment);
  }

  protected held(): Value {
    return this.total.partial();
  }

  protected take(held: Value): void {
    this.total.merge(held as readonly Value[]);
  }

  result(): Value {
    return this.first === undefined ? null : this.total.result();
  }
}

class Rate extends Increase {
  constructor(private readonly unitMs: number) {
    super();
  }

  /** Null where no time passes. */
  override result(): Value {
    return this.spanMs === 0 ? null : asDouble(this.total.result()) / (this.spanMs / this.unitMs);
  }
}

class TimeWeightedAverage extends OverTime {
  private readonly area = new Summation();

  /** @param isLinear whether values between two samples lie on the line through them, or stay as the first one */
  constructor(private readonly isLinear: boolean) {
    super();
  }

  protected step(from: Sample, to: Sample): void {
    const before = asDouble(from.value);
    const height = this.isLinear ? (before + asDouble(to.value)) / 2 : before;
    this.area.add(height * (to.ms - from.ms));
  }

  protected held(): Value {
    return this.area.partial();
  }

  protected take(held: Value): void {
    this.area.merge(held as readonly Value[]);
  }

  result(): Value {
    if (this.last === undefined) return null;
    return this.spanMs === 0 ? asDouble(this.last.value) : this.area.toDouble() / this.spanMs;
  }
}

/** @param option the name of an option beside `input` and `timestamp`, and what it may be */
function parseOverTime(
  option?: { readonly name: "unit" | "method"; readonly choices: readonly string[] },
): NonNullable<AccumulatorDefinition["parse"]> {
  return (name: string, value: Value, context: ParseContext, parse: Parse): AccumulatorNode => {
    if (!(value instanceof Document)) throw failure(`${name} takes an object {input, timestamp}`);
    for (const field of value.names()) {
      if (field !== "input" && field !== "timestamp" && field !== option?.name) {
        throw failure(`unrecognized option to ${name}: '${field}'`);
      }
    }
    for (const field of ["input", "timestamp"]) {
      if (!value.has(field)) throw failure(`${name} requires '${field}'`);
    }
    const items = [value.get("timestamp"), value.get("input")].map((each) => parse(each, context));
    const input: Expression = { kind: "array", items };
    if (option === undefined || !value.has(option.name)) return { kind: "accumulator", name, input };
    const choice = value.get(option.name);
    if (typeof choice !== "string" || !option.choices.includes(choice)) {
      const choices = option.choices.join(", ");
      throw failure(
        `${name} requires '${option.name}' to be one of ${choices}, found ${
          elementText(option.name, choice)
        }`,
      );
    }
    return { kind: "accumulator", name, input, [option.name]: choice };
  };
}

function failure(message: string): CommandError {
  return new CommandError("FailedToParse", message);
}

export const OVER_TIME: readonly AccumulatorDefinition[] = [
  { name: "$delta", parse: parseOverTime(), create: () => new Delta() },
  { name: "$increase", parse: parseOverTime(), create: () => new Increase() },
  {
    name: "$rate",
    parse: parseOverTime({ name: "unit", choices: Object.keys(UNIT_MS) }),
    create: ({ unit }) => new Rate(UNIT_MS[unit ?? "second"]!),
  },
  {
    name: "$twa",
    parse: parseOverTime({ name: "method", choices: METHODS }),
    create: ({ method }) => new TimeWeightedAverage(method !== "previous"),
  },
];

const OVER_TIME_NAMES: ReadonlySet<string> = new Set(OVER_TIME.map(({ name }) => name));

/** The argument of an accumulator with the times of the stage that it stands in. */
export function withTimestamp(name: string, argument: Value, timestamp: Value): Value {
  if (!OVER_TIME_NAMES.has(name)) return argument;
  const isSpelledOut = argument instanceof Document && argument.has("input");
  const names = isSpelledOut ? argument.names() : ["input"];
  const values = isSpelledOut ? argument.values() : [argument];
  if (names.includes("timestamp")) return argument;
  return new BuiltDocument([...names, "timestamp"], [...values, timestamp]);
}
