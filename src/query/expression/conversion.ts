/** `$convert` and its short forms (`$toInt` …), `$type`, `$isNumber`. */
import { CommandError } from "../../base/mod.ts";
import {
  aliasOfType,
  Binary,
  BsonType,
  Decimal128,
  Document,
  Int32,
  isArray,
  isNullish,
  isNumber,
  ObjectId,
  Timestamp,
  typeOf,
  typeOfAlias,
  UtcDate,
  type Value,
} from "../../bson/mod.ts";
import { type BinaryFormat, binaryText, formatOf, subtypeOf, toBinary } from "./binary_conversion.ts";
import { isTruthy } from "./boolean.ts";
import { isoDateText } from "./date_format.ts";
import { parseDateText } from "./date_text.ts";
import * as decimals from "./decimal_arithmetic.ts";
import { constant, type Evaluator, namedNode } from "./expression.ts";
import { renderValue, typeName } from "./message.ts";
import { type NamedArguments, parseNamed } from "./named_arguments.ts";
import { asDecimal, asDouble, asInt32, intOrLong, isLongRange, type NumberValue } from "./number.ts";
import { doubleText, isInRange, parseDoubleText } from "./number_text.ts";
import { type OperatorDefinition, unary } from "./operator.ts";
import { utf8Length } from "./string.ts";

/** Ends every message of a conversion that fails. */
const NO_ON_ERROR = "in $convert with no onError value";

function failure(what: string, detail: string): CommandError {
  return new CommandError("ConversionFailure", `${what} ${NO_ON_ERROR}: ${detail}`);
}

function unsupported(value: Value, to: BsonType): CommandError {
  return new CommandError(
    "ConversionFailure",
    `Unsupported conversion from ${typeName(value)} to ${aliasOfType(to)} ${NO_ON_ERROR}`,
  );
}

function overflow(value: Value): CommandError {
  return failure("Conversion would overflow target type", renderValue(value));
}

/** What `$convert` is told of binary data on either side. */
interface BinaryTarget {
  readonly subtype: number;
  readonly format: BinaryFormat | undefined;
}

const GENERIC: BinaryTarget = { subtype: 0, format: undefined };

/**
 * A value as one of another type.
 *
 * @throws CommandError ConversionFailure (241) when there is no such conversion or the value does not fit
 */
export function convert(value: Value, to: BsonType, binary: BinaryTarget = GENERIC): Value {
  if (typeOf(value) === to && CONVERTIBLE.has(to)) return value;
  switch (to) {
    case BsonType.Binary:
      return toBinary(value, binary.subtype, binary.format);
    case BsonType.Double:
      return toDouble(value);
    case BsonType.String:
      return value instanceof Binary ? binaryText(value, binary.format) : toText(value);
    case BsonType.ObjectId:
      return toObjectId(value);
    case BsonType.Boolean:
      if (typeof value === "string" || !isNullish(value)) return isTruthy(value);
      throw unsupported(value, to);
    case BsonType.Date:
      return toDate(value);
    case BsonType.Int32:
      return toInt(value);
    case BsonType.Int64:
      return toLong(value);
    case BsonType.Decimal128:
      return toDecimal(value);
    default:
      throw unsupported(value, to);
  }
}

const CONVERTIBLE: ReadonlySet<BsonType> = new Set([
  BsonType.Double,
  BsonType.String,
  BsonType.ObjectId,
  BsonType.Boolean,
  BsonType.Date,
  BsonType.Int32,
  BsonType.Int64,
  BsonType.Decimal128,
]);

function toDouble(value: Value): Value {
  if (value instanceof Decimal128) {
    const decimal = decimals.takeApart(value);
    const double = decimals.toDouble(decimal);
    if (decimal.kind === "finite" && !isInRange(double, decimal.coefficient === 0n)) throw overflow(value);
    return double;
  }
  if (isNumber(value)) return asDouble(value);
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value instanceof UtcDate) return value.ms;
  if (typeof value === "string") return textToDouble(value);
  throw unsupported(value, BsonType.Double);
}

function textToDouble(text: string): number {
  const parsed = parseDoubleText(text);
  if (typeof parsed === "number") return parsed;
  throw numberFailure(text, parsed);
}

function numberFailure(text: string, why: string): CommandError {
  if (/^0x/i.test(text)) return failure("Illegal hexadecimal input", text);
  return failure(`Failed to parse number '${text}'`, why);
}

function toInt(value: Value): Value {
  if (typeof value === "boolean") return Int32.of(value ? 1 : 0);
  if (isNumber(value)) {
    const whole = intOrLong(wholeOf(value));
    if (typeof whole === "bigint") {
      // MongoDB leaves an int64 out of the message.
      throw typeof value === "bigint"
        ? failure("Conversion would overflow target type", "")
        : overflow(value);
    }
    return whole;
  }
  if (typeof value === "string") {
    const whole = intOrLong(textToInteger(value));
    if (typeof whole === "bigint") throw numberFailure(value, "Overflow");
    return whole;
  }
  throw unsupported(value, BsonType.Int32);
}

function toLong(value: Value): Value {
  if (typeof value === "boolean") return value ? 1n : 0n;
  if (isNumber(value)) return wholeOf(value);
  if (value instanceof UtcDate) return value.exactMs;
  if (typeof value === "string") return textToInteger(value);
  throw unsupported(value, BsonType.Int64);
}

/** A number cut toward zero, checked to be an int64. */
function wholeOf(value: NumberValue): bigint {
  if (typeof value === "bigint") return value;
  if (value instanceof Int32) return BigInt(value.value);
  const decimal = typeof value === "number" ? decimals.fromDouble(value) : decimals.takeApart(value);
  if (decimal.kind === "nan") {
    throw new CommandError(
      "ConversionFailure",
      `Attempt to convert NaN value to integer type ${NO_ON_ERROR}`,
    );
  }
  if (decimal.kind === "infinity") {
    throw new CommandError(
      "ConversionFailure",
      `Attempt to convert infinity value to integer type ${NO_ON_ERROR}`,
    );
  }
  const whole = typeof value === "number" ? BigInt(Math.trunc(value)) : decimals.toInteger(decimal);
  if (whole === undefined || !isLongRange(whole)) throw overflow(value);
  return whole;
}

function textToInteger(text: string): bigint {
  if (text === "") throw numberFailure(text, "No digits");
  if (/^0x/i.test(text)) throw numberFailure(text, "");
  const digits = /^([+-]?)(\d+)$/.exec(text);
  if (digits === null) {
    throw numberFailure(text, "Did not consume whole string.");
  }
  const whole = BigInt(digits[2]!) * (digits[1] === "-" ? -1n : 1n);
  if (!isLongRange(whole)) throw numberFailure(text, "Overflow");
  return whole;
}

function toDecimal(value: Value): Value {
  if (typeof value === "boolean") return decimals.putTogether(decimals.fromInteger(value ? 1n : 0n));
  if (isNumber(value)) return decimals.putTogether(asDecimal(value));
  if (value instanceof UtcDate) return decimals.putTogether(decimals.fromInteger(value.exactMs));
  if (typeof value === "string") return textToDecimal(value);
  throw unsupported(value, BsonType.Decimal128);
}

function textToDecimal(text: string): Decimal128 {
  if (text === "") throw numberFailure(text, "Empty string");
  if (/^0x/i.test(text)) throw numberFailure(text, "");
  try {
    return Decimal128.fromStringWithRounding(text);
  } catch {
    // The class throws for any text that is no decimal: that is what was asked.
    throw numberFailure(text, "Failed to parse string to decimal");
  }
}

function toText(value: Value): Value {
  if (typeof value === "boolean" || typeof value === "bigint") return String(value);
  if (typeof value === "number") return doubleText(value);
  if (value instanceof Int32) return String(value.value);
  if (value instanceof Decimal128) return value.toString();
  if (value instanceof ObjectId) return value.toHexString();
  if (value instanceof UtcDate) return isoDateText(value.ms);
  throw unsupported(value, BsonType.String);
}

function toObjectId(value: Value): Value {
  if (typeof value !== "string") throw unsupported(value, BsonType.ObjectId);
  const length = utf8Length(value);
  if (length !== 24) {
    throw failure(
      `Failed to parse objectId '${value}'`,
      `Invalid string length for parsing to OID, expected 24 but found ${length}`,
    );
  }
  const wrong = /[^0-9a-fA-F]/.exec(value);
  if (wrong === null) return ObjectId.createFromHexString(value);
  throw failure(
    `Failed to parse objectId '${value}'`,
    `Invalid character found in hex string: '${wrong[0]}'`,
  );
}

function toDate(value: Value): Value {
  if (typeof value === "string") return new UtcDate(parseDateText(value, undefined, undefined));
  if (value instanceof ObjectId) return new UtcDate(value.getTimestamp().getTime());
  if (value instanceof Timestamp) return new UtcDate(value.getHighBitsUnsigned() * 1000);
  if (isNumber(value) && !(value instanceof Int32)) return UtcDate.of(wholeOf(value));
  throw unsupported(value, BsonType.Date);
}

const CONVERT_ARGUMENTS: NamedArguments = {
  operator: "$convert",
  names: {
    input: new CommandError("FailedToParse", "Missing 'input' parameter to $convert"),
    to: new CommandError("FailedToParse", "Missing 'to' parameter to $convert"),
    format: "optional",
    onError: "optional",
    onNull: "optional",
  },
  notAnObject: (value) =>
    new CommandError(
      "FailedToParse",
      `$convert expects an object of named arguments but found: ${typeName(value)}`,
    ),
  unknown: (name) => new CommandError("FailedToParse", `$convert found an unknown argument: ${name}`),
};

const CONVERT: OperatorDefinition = {
  name: "$convert",
  parse: (value, context, parse) => parseNamed(CONVERT_ARGUMENTS, value, context, parse),
  compile: ({ named }) => compileConvert(named["input"]!, named["to"]!, named),
};

function compileConvert(
  input: Evaluator,
  to: Evaluator,
  { format, onError, onNull }: Readonly<Record<string, Evaluator>>,
): Evaluator {
  return (scope) => {
    const value = input(scope);
    const whole = to(scope);
    const target = whole instanceof Document ? whole.get("type") : whole;
    const type = isNullish(target) ? undefined : targetType(target);
    const binary = { subtype: subtypeOf(whole), format: formatOf(format?.(scope)) };
    if (isNullish(value)) return onNull === undefined ? null : onNull(scope);
    if (type === undefined) return null;
    try {
      return convert(value, type, binary);
    } catch (error) {
      if (
        onError === undefined || !(error instanceof CommandError) || error.codeName !== "ConversionFailure"
      ) {
        throw error;
      }
      return onError(scope);
    }
  };
}

function targetType(value: Value): BsonType {
  if (typeof value === "string") {
    const type = typeOfAlias(value);
    if (type === undefined) throw new CommandError("BadValue", `Unknown type name: ${value}`);
    return type;
  }
  if (!isNumber(value)) {
    throw new CommandError(
      "FailedToParse",
      `$convert's 'to' argument must be a string or number, but is ${typeName(value)}`,
    );
  }
  const number = asInt32(value);
  if (number === undefined) {
    throw new CommandError("FailedToParse", "In $convert, numeric 'to' argument is not an integer");
  }
  // The byte that stands for MinKey is a negative number there.
  const type = Object.values(BsonType).find((known) => (known === BsonType.MinKey ? -1 : known) === number);
  if (type !== undefined) return type;
  throw new CommandError(
    "FailedToParse",
    `In $convert, numeric value for 'to' does not correspond to a BSON type: ${number}`,
  );
}

/** `$toInt` and its like: `$convert` with a type that is known. */
function shortForm(name: string, type: BsonType, binary?: BinaryTarget): OperatorDefinition {
  return {
    name,
    parse: (value, context, parse) => {
      if (isArray(value) && value.length !== 1) {
        throw new CommandError(50723, `${name} requires a single argument, got ${value.length}`);
      }
      const input = isArray(value) ? value[0] : value;
      return namedNode(name, { input: parse(input, context), to: constant(Int32.of(type)) });
    },
    compile: ({ named }) => {
      const input = named["input"]!;
      return (scope) => {
        const value = input(scope);
        return isNullish(value) ? null : convert(value, type, binary);
      };
    },
  };
}

export const CONVERSION: readonly OperatorDefinition[] = [
  CONVERT,
  unary("$isNumber", (value) => isNumber(value)),
  shortForm("$toBool", BsonType.Boolean),
  shortForm("$toDate", BsonType.Date),
  shortForm("$toDecimal", BsonType.Decimal128),
  shortForm("$toDouble", BsonType.Double),
  shortForm("$toInt", BsonType.Int32),
  shortForm("$toLong", BsonType.Int64),
  shortForm("$toObjectId", BsonType.ObjectId),
  // Since 8.0 binary data is a text too: the form that suits it.
  shortForm("$toString", BsonType.String, { subtype: 0, format: "auto" }),
  shortForm("$toUUID", BsonType.Binary, { subtype: 4, format: "uuid" }),
  unary("$type", (value) => typeName(value)),
];
