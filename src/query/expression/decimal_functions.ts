/**
 * Functions of Decimal128: roots, powers, exponentials, logarithms and trigonometry, computed with some twenty digits
 * more than the result keeps and rounded once.
 *
 * Working numbers are fixed point: BigInts that count units of 10⁻ᵂ. Arguments are reduced first (by ln 2, by π/2, by
 * halving), then the Taylor series converges in a few dozen steps (R. Brent and P. Zimmermann, "Modern Computer
 * Arithmetic", chapter 4).
 */
import * as decimals from "./decimal_arithmetic.ts";
import { type Decimal, DECIMAL_NAN, type Finite, finite, infinity } from "./decimal_arithmetic.ts";

const WORK_DIGITS = 70;
const ONE = 10n ** BigInt(WORK_DIGITS);
const RESULT_DIGITS = 34;
/** Beyond these exponents of e the result is infinite or zero. */
const LARGEST_EXPONENT = 14_200;

/** A finite decimal as fixed point, digits below 10⁻ᵂ cut off. */
function toFixed(value: Finite): bigint {
  const shift = WORK_DIGITS + value.exponent;
  const magnitude = shift >= 0
    ? value.coefficient * 10n ** BigInt(shift)
    : value.coefficient / 10n ** BigInt(Math.min(-shift, 7000));
  return value.negative ? -magnitude : magnitude;
}

/** Fixed point times 10^exponent as a rounded decimal of all 34 digits. */
function fromFixed(value: bigint, exponent = 0): Decimal {
  const magnitude = value < 0n ? -value : value;
  return fill(decimals.roundToFit(finite(value < 0n, magnitude, exponent - WORK_DIGITS)));
}

/** With trailing zeros up to 34 digits: how a result that is not exact is written. */
export function fill(value: Decimal): Decimal {
  if (value.kind !== "finite" || value.coefficient === 0n) return value;
  const pad = RESULT_DIGITS - decimals.digitCount(value.coefficient);
  if (pad <= 0) return value;
  return decimals.roundToFit(
    finite(value.negative, value.coefficient * 10n ** BigInt(pad), value.exponent - pad),
  );
}

const multiplyFixed = (a: bigint, b: bigint) => a * b / ONE;
const divideFixed = (a: bigint, b: bigint) => a * ONE / b;

/** The whole part of a square root (Newton). */
function integerRoot(value: bigint): bigint {
  if (value < 2n) return value;
  let x = 1n << BigInt((value.toString(2).length + 1) >> 1);
  for (;;) {
    const next = (x + value / x) >> 1n;
    if (next >= x) return x;
    x = next;
  }
}

const rootFixed = (value: bigint) => integerRoot(value * ONE);

/** e^x for |x| below some units: halved eight times, summed, squared eight times. */
function expSmall(x: bigint): bigint {
  const halvings = 8;
  const reduced = x / (1n << BigInt(halvings));
  let term = ONE;
  let sum = ONE;
  for (let i = 1n; term !== 0n; i++) {
    term = multiplyFixed(term, reduced) / i;
    sum += term;
  }
  for (let i = 0; i < halvings; i++) sum = multiplyFixed(sum, sum);
  return sum;
}

/** ln x for x near 1: 2·artanh((x−1)/(x+1)). */
function logNearOne(x: bigint): bigint {
  const z = divideFixed(x - ONE, x + ONE);
  const square = multiplyFixed(z, z);
  let power = z;
  let sum = 0n;
  for (let i = 1n; power !== 0n; i += 2n) {
    sum += power / i;
    power = multiplyFixed(power, square);
  }
  return 2n * sum;
}

const LN_2 = logNearOne(2n * ONE);
const LN_10 = 3n * LN_2 + logNearOne(ONE * 5n / 4n);

/** Arctangent for any fixed-point number: halved until small, then its series. */
function arctanFixed(x: bigint): bigint {
  let reduced = x;
  let halvings = 0n;
  while (reduced > ONE / 8n || reduced < -ONE / 8n) {
    // atan x = 2 atan(x / (1 + √(1 + x²)))
    reduced = divideFixed(reduced, ONE + rootFixed(ONE + multiplyFixed(reduced, reduced)));
    halvings++;
  }
  const square = multiplyFixed(reduced, reduced);
  let power = reduced;
  let sum = 0n;
  for (let i = 1n; power !== 0n; i += 2n) {
    sum += i % 4n === 1n ? power / i : -power / i;
    power = multiplyFixed(power, square);
  }
  return sum << halvings;
}

const PI = 4n * arctanFixed(ONE);

/** ln of a positive fixed-point mantissa in [1, 10). */
function logMantissa(mantissa: bigint): bigint {
  let x = mantissa;
  let twos = 0n;
  while (x > ONE * 4n / 3n) {
    x /= 2n;
    twos++;
  }
  return logNearOne(x) + twos * LN_2;
}

/** ln of a positive finite decimal, in fixed point. */
function logFixed(value: Finite): bigint {
  const digits = decimals.digitCount(value.coefficient);
  const mantissa = toFixed(finite(false, value.coefficient, 1 - digits));
  return logMantissa(mantissa) + BigInt(value.exponent + digits - 1) * LN_10;
}

/** e^x for fixed point of any size, as a decimal. */
function expFixed(x: bigint): Decimal {
  const tens = x / LN_10;
  if (tens > BigInt(LARGEST_EXPONENT)) return infinity(false);
  if (tens < -BigInt(LARGEST_EXPONENT)) return finite(false, 0n, -6176);
  return fromFixed(expSmall(x - tens * LN_10), Number(tens));
}

/** e to the power of x. */
export function exponential(x: Decimal): Decimal {
  if (x.kind === "nan") return x;
  if (x.kind === "infinity") return x.negative ? finite(false, 0n, 0) : x;
  if (x.coefficient === 0n) return finite(false, 1n, 0);
  if (x.exponent + decimals.digitCount(x.coefficient) > 7) {
    return x.negative ? finite(false, 0n, -6176) : infinity(false);
  }
  return expFixed(toFixed(x));
}

/** ln x; −∞ at zero, NaN below. */
export function naturalLogarithm(x: Decimal): Decimal {
  return logarithm(x, ONE);
}

/** Logarithm to base 10; exact for powers of ten. */
export function decimalLogarithm(x: Decimal): Decimal {
  if (x.kind === "finite" && /^10*$/.test(x.coefficient.toString()) && !x.negative) {
    return decimals.fromInteger(BigInt(x.exponent + decimals.digitCount(x.coefficient) - 1));
  }
  return logarithm(x, LN_10);
}

function logarithm(x: Decimal, base: bigint): Decimal {
  if (x.kind === "nan" || (x.negative && !decimals.isZero(x))) return DECIMAL_NAN;
  if (x.kind === "infinity") return x;
  if (x.coefficient === 0n) return infinity(true);
  const log = logFixed(x);
  return log === 0n ? finite(false, 0n, 0) : wholeOrFilled(fromFixed(divideFixed(log, base)));
}

/** A logarithm that comes out whole is written without places. */
function wholeOrFilled(value: Decimal): Decimal {
  const whole = decimals.toInteger(value);
  if (whole === undefined) return value;
  const integer = decimals.fromInteger(whole);
  return decimals.isZero(decimals.subtract(value, integer)) ? integer : value;
}

/** Logarithm to any base that is positive and not 1. */
export function logarithmToBase(x: Decimal, base: Decimal): Decimal {
  if (base.kind !== "finite") {
    return base.kind === "nan" || x.kind !== "finite" ? DECIMAL_NAN : finite(false, 0n, 0);
  }
  return logarithm(x, logFixed(base));
}

/** The square root; its exponent is half the argument's where it is exact. */
export function squareRoot(x: Decimal): Decimal {
  if (x.kind === "nan" || decimals.isZero(x)) {
    return x.kind === "finite" ? finite(x.negative, 0n, Math.floor(x.exponent / 2)) : x;
  }
  if (x.negative) return DECIMAL_NAN;
  if (x.kind === "infinity") return x;
  const preferred = Math.floor(x.exponent / 2);
  const odd = x.exponent - preferred * 2;
  const coefficient = x.coefficient * 10n ** BigInt(odd);
  const exact = integerRoot(coefficient);
  if (exact * exact === coefficient) return decimals.roundToFit(finite(false, exact, preferred));
  const shift = RESULT_DIGITS + 4;
  const scaledUp = coefficient * 10n ** BigInt(2 * shift);
  const root = integerRoot(scaledUp);
  if (root * root === scaledUp) {
    return decimals.roundToFit(decimals.strip(false, root, preferred - shift, preferred));
  }
  return decimals.roundToFit(finite(false, root * 10n + 1n, preferred - shift - 1));
}

const FILLED_ONE = fill(finite(false, 1n, 0));

/** base to the power of exponent. A negative base takes whole exponents only. */
export function power(base: Decimal, exponent: Decimal): Decimal {
  if (decimals.isZero(exponent)) return FILLED_ONE;
  if (base.kind === "nan" || exponent.kind === "nan") return DECIMAL_NAN;
  const whole = wholeExponent(exponent);
  const negative = base.negative && whole !== undefined && whole % 2n !== 0n;
  if (decimals.isZero(base)) return exponent.negative ? infinity(negative) : finite(negative, 0n, -6176);
  if (exponent.kind === "infinity") return powerOfInfinity(base, exponent.negative);
  if (base.kind === "infinity") return exponent.negative ? finite(negative, 0n, -6176) : infinity(negative);
  if (base.negative && whole === undefined) return DECIMAL_NAN;
  const magnitude = expFixed(toFixed(exponent) * logFixed(base) / ONE);
  return negative ? decimals.negate(magnitude) : magnitude;
}

function wholeExponent(exponent: Decimal): bigint | undefined {
  if (exponent.kind !== "finite") return undefined;
  const whole = decimals.toInteger(exponent);
  if (whole === undefined) return undefined;
  return decimals.isZero(decimals.subtract(exponent, decimals.fromInteger(whole))) ? whole : undefined;
}

function powerOfInfinity(base: Decimal, negative: boolean): Decimal {
  const size = decimals.subtract(decimals.absolute(base), finite(false, 1n, 0));
  if (decimals.isZero(size)) return FILLED_ONE;
  const grows = size.kind !== "nan" && !size.negative;
  return grows !== negative ? infinity(false) : finite(false, 0n, -6176);
}

/** Sine and cosine of a fixed-point angle. */
function sineCosine(angle: bigint): readonly [sine: bigint, cosine: bigint] {
  const quarter = PI / 2n;
  const turns = (2n * angle + (angle < 0n ? -quarter : quarter)) / (2n * quarter);
  const rest = angle - turns * quarter;
  const square = multiplyFixed(rest, rest);
  let term = rest;
  let sine = 0n;
  for (let i = 1n; term !== 0n; i += 2n) {
    sine += term;
    term = -multiplyFixed(term, square) / ((i + 1n) * (i + 2n));
  }
  const cosine = rootFixed(ONE - multiplyFixed(sine, sine));
  const quadrant = Number(((turns % 4n) + 4n) % 4n);
  return ([[sine, cosine], [cosine, -sine], [-sine, -cosine], [-cosine, sine]] as const)[quadrant]!;
}

/** Below 10 to this power x³ does not count beside x. */
const TINY_EXPONENT = -20;

/**
 * A function of finite arguments by fixed point; zero, NaN and infinities by `special`, and so are arguments near zero of
 * functions that are the argument itself there.
 */
function byFixed(
  apply: (x: bigint) => bigint | undefined,
  special: (x: Decimal) => Decimal,
  isOdd = false,
) {
  return (x: Decimal): Decimal => {
    if (x.kind !== "finite" || x.coefficient === 0n) return special(x);
    if (isOdd && x.exponent + decimals.digitCount(x.coefficient) < TINY_EXPONENT) return x;
    const result = apply(toFixed(x));
    return result === undefined ? DECIMAL_NAN : fromFixed(result);
  };
}

const sameOrNaN = (x: Decimal): Decimal => x.kind === "finite" ? x : DECIMAL_NAN;
const same = (x: Decimal): Decimal => x;
const oneAtZero = (x: Decimal): Decimal => x.kind === "finite" ? finite(false, 1n, 0) : DECIMAL_NAN;
const HALF_PI = fromFixed(PI / 2n);

export const sine = byFixed((x) => sineCosine(x)[0], sameOrNaN, true);
export const cosine = byFixed((x) => sineCosine(x)[1], oneAtZero);
export const tangent = byFixed(
  (x) => {
    const [s, c] = sineCosine(x);
    return divideFixed(s, c);
  },
  sameOrNaN,
  true,
);

export const arctangent = byFixed(arctanFixed, (x) => {
  if (x.kind !== "infinity") return x;
  return x.negative ? decimals.negate(HALF_PI) : HALF_PI;
}, true);

function arcsineFixed(x: bigint): bigint | undefined {
  if (x > ONE || x < -ONE) return undefined;
  if (x === ONE || x === -ONE) return x === ONE ? PI / 2n : -PI / 2n;
  return arctanFixed(divideFixed(x, rootFixed(ONE - multiplyFixed(x, x))));
}

export const arcsine = byFixed(arcsineFixed, sameOrNaN, true);
export const arccosine = byFixed((x) => {
  const angle = arcsineFixed(x);
  return angle === undefined ? undefined : PI / 2n - angle;
}, (x) => x.kind === "finite" ? HALF_PI : DECIMAL_NAN);

/** The angle of the point (x, y), in (−π, π]. */
export function arctangent2(y: Decimal, x: Decimal): Decimal {
  if (y.kind !== "finite" || x.kind !== "finite") return arctangent2AtInfinity(y, x);
  if (y.coefficient === 0n && !x.negative) return finite(y.negative, 0n, -6176);
  const ratio = decimals.divide(y, x);
  if (
    !x.negative && ratio.kind === "finite" &&
    ratio.exponent + decimals.digitCount(ratio.coefficient) < TINY_EXPONENT
  ) {
    return x.coefficient === 0n ? ratio : fill(ratio);
  }
  const exponent = Math.min(x.exponent, y.exponent);
  const at = (value: Finite) => toFixed(finite(value.negative, value.coefficient, value.exponent - exponent));
  const [fixedY, fixedX] = [at(y), at(x)];
  if (fixedX === 0n && fixedY === 0n) return finite(y.negative, 0n, 0);
  if (fixedX === 0n) return fixedY > 0n ? HALF_PI : decimals.negate(HALF_PI);
  const angle = arctanFixed(divideFixed(fixedY, fixedX));
  if (fixedX > 0n) return fromFixed(angle);
  return fromFixed(fixedY < 0n || y.negative ? angle - PI : angle + PI);
}

const exponentials = (x: bigint): readonly [bigint, bigint] => {
  const up = expSmallAny(x);
  return [up, divideFixed(ONE, up)];
};

/** e^x in fixed point, for arguments whose result fits well. */
function expSmallAny(x: bigint): bigint {
  const tens = x / LN_10;
  const rest = expSmall(x - tens * LN_10);
  return tens >= 0n ? rest * 10n ** tens : rest / 10n ** -tens;
}

/** sinh and cosh: beyond some thousand the smaller exponential no longer counts. */
function hyperbolic(sign: 1n | -1n, special: (x: Decimal) => Decimal): (x: Decimal) => Decimal {
  return (x) => {
    if (x.kind !== "finite" || x.coefficient === 0n) return special(x);
    if (x.exponent + decimals.digitCount(x.coefficient) > 3) {
      const half = decimals.divide(exponential(decimals.absolute(x)), finite(false, 2n, 0));
      return x.negative && sign < 0n ? decimals.negate(half) : half;
    }
    const [up, down] = exponentials(toFixed(x));
    return fromFixed((up + sign * down) / 2n);
  };
}

export const hyperbolicSine = hyperbolic(-1n, same);
export const hyperbolicCosine = hyperbolic(1n, (x) => {
  return x.kind === "finite" ? finite(false, 1n, 0) : decimals.absolute(x);
});

export const hyperbolicTangent = byFixed(
  (x) => {
    const limit = 100n * ONE;
    if (x > limit || x < -limit) return x > 0n ? ONE : -ONE;
    const [up, down] = exponentials(x);
    return divideFixed(up - down, up + down);
  },
  (x) => x.kind === "infinity" ? finite(x.negative, 1n, 0) : x,
  true,
);

/** ln of positive fixed point. */
const logOfFixed = (x: bigint): bigint => logFixed(finite(false, x, -WORK_DIGITS));

export const areaSine = byFixed(
  (x) => {
    const magnitude = x < 0n ? -x : x;
    const area = logOfFixed(magnitude + rootFixed(multiplyFixed(x, x) + ONE));
    return x < 0n ? -area : area;
  },
  same,
  true,
);

export const areaCosine = byFixed(
  (x) => x < ONE ? undefined : logOfFixed(x + rootFixed(multiplyFixed(x, x) - ONE)),
  (x) => x.kind === "infinity" && !x.negative ? x : DECIMAL_NAN,
);

export const areaTangent = byFixed(
  (x) => {
    if (x >= ONE || x <= -ONE) return undefined;
    return (logOfFixed(ONE + x) - logOfFixed(ONE - x)) / 2n;
  },
  sameOrNaN,
  true,
);

const DEGREES = 180n;

/** Radians of degrees. */
export function toRadians(x: Decimal): Decimal {
  return decimals.multiply(x, fromFixed(PI / DEGREES));
}

/** Degrees of radians. */
export function toDegrees(x: Decimal): Decimal {
  return decimals.multiply(x, fromFixed(divideFixed(DEGREES * ONE, PI)));
}

const sign = (negative: boolean, value: Decimal): Decimal => negative ? decimals.negate(value) : value;

/** Where an argument is infinite or NaN. */
function arctangent2AtInfinity(y: Decimal, x: Decimal): Decimal {
  if (y.kind === "nan" || x.kind === "nan") return DECIMAL_NAN;
  if (y.kind === "infinity") {
    if (x.kind !== "infinity") return sign(y.negative, HALF_PI);
    return sign(y.negative, fromFixed(x.negative ? PI * 3n / 4n : PI / 4n));
  }
  return sign(y.negative, x.negative ? fromFixed(PI) : finite(false, 0n, 0));
}
