/** `$dateTrunc`, `$dateAdd`, `$dateSubtract`, `$dateDiff`: arithmetic on dates by units and time zones. */
import { CommandError } from "../../base/mod.ts";
import { isNullish, isNumber, UtcDate, type Value } from "../../bson/mod.ts";
import {
  addToDate,
  type Bins,
  type DayOfWeek,
  diffDates,
  type TimeUnit,
  truncateDate,
} from "./date_arithmetic.ts";
import { isTimeUnit, momentOf, parseDayOfWeek, timezoneOf } from "./date_value.ts";
import type { Evaluator, Scope } from "./expression.ts";
import { renderValue, typeName } from "./message.ts";
import { type NamedArguments, parseNamed } from "./named_arguments.ts";
import { asDouble, asInt64 } from "./number.ts";
import type { Operands, OperatorDefinition } from "./operator.ts";
import type { Timezone } from "./timezone.ts";

const SUNDAY: DayOfWeek = 7;
/** Bins larger than this reach beyond any date there is (MongoDB's own limit). */
const MAX_BIN_MS = 100_000_000_000 * 365 * 86_400_000;
const APPROXIMATE_MS: Readonly<Record<TimeUnit, number>> = {
  millisecond: 1,
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
  month: 2_678_400_000,
  quarter: 7_948_800_000,
  year: 31_622_400_000,
};

/** A zone argument, its errors named after the operator. */
function zoneArgument(operator: string, evaluate: Evaluator | undefined, scope: Scope): Timezone | undefined {
  try {
    return timezoneOf(evaluate, scope);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new CommandError(
      error.code,
      `${operator} parameter 'timezone' value parsing failed :: caused by :: ${error.message}`,
    );
  }
}

function unitArgument(operator: string, value: Value): TimeUnit {
  if (typeof value !== "string") {
    throw new CommandError(5439013, `${operator} requires 'unit' to be a string, but got ${typeName(value)}`);
  }
  if (isTimeUnit(value)) return value;
  throw new CommandError(
    5439014,
    `${operator} parameter 'unit' value cannot be recognized as a time unit: ${value}`,
  );
}

function startOfWeekArgument(operator: string, value: Value): DayOfWeek {
  if (typeof value !== "string") {
    throw new CommandError(
      5439015,
      `${operator} requires 'startOfWeek' to be a string, but got ${typeName(value)}`,
    );
  }
  const day = parseDayOfWeek(value);
  if (day !== undefined) return day;
  throw new CommandError(
    5439016,
    `${operator} parameter 'startOfWeek' value cannot be recognized as a day of a week: ${value}`,
  );
}

const TRUNC_ARGUMENTS: NamedArguments = {
  operator: "$dateTrunc",
  names: {
    date: new CommandError(5439009, "Missing 'date' parameter to $dateTrunc"),
    unit: new CommandError(5439010, "Missing 'unit' parameter to $dateTrunc"),
    binSize: "optional",
    timezone: "optional",
    startOfWeek: "optional",
  },
  notAnObject: () => new CommandError(5439007, "$dateTrunc only supports an object as its argument"),
  unknown: (name) =>
    new CommandError(
      5439008,
      `Unrecognized argument to $dateTrunc: ${name}. Expected arguments are date, unit, and optionally, binSize, timezone, startOfWeek`,
    ),
};

function compileTrunc({ named, node }: Operands): Evaluator {
  const date = named["date"]!;
  const unit = named["unit"]!;
  const { date: _, ...grid } = node.named;
  const isFixed = Object.values(grid).every((argument) => argument.kind === "constant");
  /** The grid of all rows, once a first row has shown that its arguments are right. */
  let fixed: Bins | undefined;
  return (scope) => {
    const dateValue = date(scope);
    if (fixed !== undefined && dateValue instanceof UtcDate) {
      return new UtcDate(truncateDate(dateValue.ms, fixed));
    }
    if (isNullish(dateValue)) return null;
    const unitValue = unit(scope);
    if (isNullish(unitValue)) return null;
    const binSize = named["binSize"]?.(scope);
    if (named["binSize"] !== undefined && isNullish(binSize)) return null;
    const timezone = zoneArgument("$dateTrunc", named["timezone"], scope);
    if (timezone === undefined) return null;
    const ms = truncatedMoment(dateValue);
    const parsedUnit = unitArgument("$dateTrunc", unitValue);
    const size = binSizeOf(binSize, parsedUnit);
    const startOfWeek = weekStart("$dateTrunc", parsedUnit, named["startOfWeek"], scope);
    if (startOfWeek === undefined) return null;
    const bins: Bins = { unit: parsedUnit, binSize: size, timezone, startOfWeek };
    if (isFixed) fixed = bins;
    return new UtcDate(truncateDate(ms, bins));
  };
}

/** The day weeks start on: Sunday where none is given or the unit is another; undefined for null. */
function weekStart(
  operator: string,
  unit: TimeUnit,
  evaluate: Evaluator | undefined,
  scope: Scope,
): DayOfWeek | undefined {
  if (unit !== "week" || evaluate === undefined) return SUNDAY;
  const value = evaluate(scope);
  return isNullish(value) ? undefined : startOfWeekArgument(operator, value);
}

function truncatedMoment(value: Value): number {
  const ms = momentOf(value);
  if (ms !== undefined) return ms;
  throw new CommandError(5439012, `$dateTrunc requires 'date' to be a date, but got ${typeName(value)}`);
}

function binSizeOf(value: Value, unit: TimeUnit): number {
  if (value === undefined) return 1;
  const size = asInt64(value);
  if (size === undefined) {
    throw new CommandError(
      5439017,
      `$dateTrunc requires 'binSize' to be a 64-bit integer, but got value '${renderValue(value)}' of type ${
        typeName(value)
      }`,
    );
  }
  if (size <= 0n) {
    throw new CommandError(
      5439018,
      `$dateTrunc requires 'binSize' to be greater than 0, but got value ${renderValue(value)}`,
    );
  }
  if (Number(size) * APPROXIMATE_MS[unit] > MAX_BIN_MS) {
    throw new CommandError(5439006, "dateTrunc unsupported binSize value");
  }
  return Number(size);
}

const DATE_TRUNC: OperatorDefinition = {
  name: "$dateTrunc",
  parse: (value, context, parse) => parseNamed(TRUNC_ARGUMENTS, value, context, parse),
  compile: compileTrunc,
};

const LONGEST_AMOUNT: Readonly<Record<TimeUnit, number>> = {
  millisecond: Infinity,
  second: 2 ** 63 / 1000,
  minute: 2 ** 63 / 60_000,
  hour: 2 ** 63 / 3_600_000,
  day: 106_751_991_167,
  week: 15_250_284_453,
  month: 3_507_324_297,
  quarter: 1_169_108_099,
  year: 292_277_024,
};

function dateShift(name: "$dateAdd" | "$dateSubtract", sign: 1 | -1): OperatorDefinition {
  const missing = new CommandError(5166402, `${name} requires startDate, unit, and amount to be present`);
  const spec: NamedArguments = {
    operator: name,
    names: { startDate: missing, unit: missing, amount: missing, timezone: "optional" },
    notAnObject: () => new CommandError(5166400, `${name} expects an object as its argument`),
    unknown: (field) =>
      new CommandError(
        5166401,
        `Unrecognized argument to ${name}: ${field}. Expected arguments are startDate, unit, amount, and optionally timezone.`,
      ),
  };
  return {
    name,
    parse: (value, context, parse) => parseNamed(spec, value, context, parse),
    compile: (operands) => compileShift(name, sign, operands),
  };
}

function compileShift(name: string, sign: 1 | -1, { named }: Operands): Evaluator {
  const startDate = named["startDate"]!;
  const unit = named["unit"]!;
  const amount = named["amount"]!;
  return (scope) => {
    const start = startDate(scope);
    if (isNullish(start)) return null;
    const unitValue = unit(scope);
    if (isNullish(unitValue)) return null;
    const amountValue = amount(scope);
    if (isNullish(amountValue)) return null;
    const timezone = timezoneOf(named["timezone"], scope);
    if (timezone === undefined) return null;
    const ms = momentOf(start);
    if (ms === undefined) {
      throw new CommandError(5166403, `${name} requires startDate to be convertible to a date`);
    }
    const parsedUnit = shiftUnit(name, unitValue);
    return new UtcDate(
      addToDate(ms, parsedUnit, sign * shiftAmount(name, parsedUnit, amountValue), timezone),
    );
  };
}

function shiftUnit(name: string, value: Value): TimeUnit {
  if (typeof value !== "string") {
    throw new CommandError(5166404, `${name} expects string defining the time unit`);
  }
  if (isTimeUnit(value)) return value;
  throw new CommandError("FailedToParse", `unknown time unit value: ${value}`);
}

function shiftAmount(name: string, unit: TimeUnit, value: Value): number {
  const amount = isNumber(value) ? asInt64(value) : undefined;
  if (amount === undefined) {
    throw new CommandError(5166405, `${name} expects integer amount of time units`);
  }
  if (name === "$dateSubtract" && amount === -(2n ** 63n)) {
    throw new CommandError(6045000, `invalid $dateSubtract 'amount' parameter value: ${amount}`);
  }
  if (Math.abs(asDouble(amount)) > LONGEST_AMOUNT[unit]) {
    const shown = name === "$dateSubtract" ? -amount : amount;
    throw new CommandError(5976500, `invalid dateAdd 'amount' parameter value: ${shown} ${unit}`);
  }
  return Number(amount);
}

const DIFF_ARGUMENTS: NamedArguments = {
  operator: "$dateDiff",
  names: {
    startDate: new CommandError(5166303, "Missing 'startDate' parameter to $dateDiff"),
    endDate: new CommandError(5166304, "Missing 'endDate' parameter to $dateDiff"),
    unit: new CommandError(5166305, "Missing 'unit' parameter to $dateDiff"),
    timezone: "optional",
    startOfWeek: "optional",
  },
  notAnObject: () => new CommandError(5166301, "$dateDiff only supports an object as its argument"),
  unknown: (name) => new CommandError(5166302, `Unrecognized argument to $dateDiff: ${name}`),
};

function compileDiff({ named }: Operands): Evaluator {
  const startDate = named["startDate"]!;
  const endDate = named["endDate"]!;
  const unit = named["unit"]!;
  return (scope) => {
    const start = startDate(scope);
    if (isNullish(start)) return null;
    const end = endDate(scope);
    if (isNullish(end)) return null;
    const unitValue = unit(scope);
    if (isNullish(unitValue)) return null;
    const timezone = zoneArgument("$dateDiff", named["timezone"], scope);
    if (timezone === undefined) return null;
    if (
      unitValue === "week" && named["startOfWeek"] !== undefined && isNullish(named["startOfWeek"](scope))
    ) {
      return null;
    }
    const startMs = diffMoment("startDate", start);
    const endMs = diffMoment("endDate", end);
    const parsedUnit = unitArgument("$dateDiff", unitValue);
    const startOfWeek = weekStart("$dateDiff", parsedUnit, named["startOfWeek"], scope);
    if (startOfWeek === undefined) return null;
    return BigInt(diffDates(startMs, endMs, parsedUnit, timezone, startOfWeek));
  };
}

function diffMoment(argument: string, value: Value): number {
  const ms = momentOf(value);
  if (ms !== undefined) return ms;
  throw new CommandError(
    5166307,
    `$dateDiff requires '${argument}' to be a date, but got ${typeName(value)}`,
  );
}

const DATE_DIFF: OperatorDefinition = {
  name: "$dateDiff",
  parse: (value, context, parse) => parseNamed(DIFF_ARGUMENTS, value, context, parse),
  compile: compileDiff,
};

export const DATE: readonly OperatorDefinition[] = [
  dateShift("$dateAdd", 1),
  DATE_DIFF,
  dateShift("$dateSubtract", -1),
  DATE_TRUNC,
];
