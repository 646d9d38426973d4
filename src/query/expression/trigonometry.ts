/** Trigonometry, on doubles and decimals; an argument outside the domain is error 50989. */
import { CommandError } from "../../base/mod.ts";
import { Decimal128, isNullish, isNumber, type Value } from "../../bson/mod.ts";
import * as decimals from "./decimal_arithmetic.ts";
import * as functions from "./decimal_functions.ts";
import * as hyperbolic from "./hyperbolic.ts";
import { typeName } from "./message.ts";
import { asDecimal, asDouble, DECIMAL, type NumberValue, rankOf } from "./number.ts";
import { formatDouble } from "./number_text.ts";
import { type OperatorDefinition, stepwise } from "./operator.ts";
import { realFunction } from "./power.ts";

interface Domain {
  readonly text: string;
  readonly has: (x: number) => boolean;
}

const FINITE: Domain = { text: "(-inf,inf)", has: (x) => Number.isFinite(x) };
const UNIT: Domain = { text: "[-1,1]", has: (x) => x >= -1 && x <= 1 };
const FROM_ONE: Domain = { text: "[1,inf]", has: (x) => x >= 1 };

function within(name: string, domain: Domain): (value: NumberValue) => void {
  return (value) => {
    const x = asDouble(value);
    if (domain.has(x) || Number.isNaN(x)) return;
    const shown = value instanceof Decimal128 ? value.toString() : formatDouble(x);
    throw new CommandError(
      50989,
      `cannot apply ${name} to ${shown}, value must be in ${domain.text}`,
    );
  };
}

const ATAN2 = stepwise("$atan2", [2, 2], (argument) => {
  const y = argument(0);
  if (isNullish(y)) return null;
  const ordinate = atan2Argument(51044, y);
  const x = argument(1);
  if (isNullish(x)) return null;
  const abscissa = atan2Argument(51045, x);
  if (rankOf(ordinate) === DECIMAL || rankOf(abscissa) === DECIMAL) {
    return decimals.putTogether(functions.arctangent2(asDecimal(ordinate), asDecimal(abscissa)));
  }
  return Math.atan2(asDouble(ordinate), asDouble(abscissa));
});

function atan2Argument(code: number, value: Value): NumberValue {
  if (isNumber(value)) return value;
  throw new CommandError(code, `$atan2 only supports numeric types, not ${typeName(value)}`);
}

const RADIANS_PER_DEGREE = Math.PI / 180;
const DEGREES_PER_RADIAN = 180 / Math.PI;

export const TRIGONOMETRY: readonly OperatorDefinition[] = [
  realFunction("$acos", Math.acos, functions.arccosine, within("$acos", UNIT)),
  realFunction("$acosh", hyperbolic.acosh, functions.areaCosine, within("$acosh", FROM_ONE)),
  realFunction("$asin", Math.asin, functions.arcsine, within("$asin", UNIT)),
  realFunction("$asinh", hyperbolic.asinh, functions.areaSine),
  realFunction("$atan", Math.atan, functions.arctangent),
  ATAN2,
  realFunction("$atanh", hyperbolic.atanh, functions.areaTangent, within("$atanh", UNIT)),
  realFunction("$cos", Math.cos, functions.cosine, within("$cos", FINITE)),
  realFunction("$cosh", hyperbolic.cosh, functions.hyperbolicCosine),
  realFunction("$degreesToRadians", (x) => x * RADIANS_PER_DEGREE, functions.toRadians),
  realFunction("$radiansToDegrees", (x) => x * DEGREES_PER_RADIAN, functions.toDegrees),
  realFunction("$sin", Math.sin, functions.sine, within("$sin", FINITE)),
  realFunction("$sinh", hyperbolic.sinh, functions.hyperbolicSine),
  realFunction("$tan", Math.tan, functions.tangent, within("$tan", FINITE)),
  realFunction("$tanh", Math.tanh, functions.hyperbolicTangent),
];
