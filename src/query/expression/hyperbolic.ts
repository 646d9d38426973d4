/**
 * Hyperbolic functions and their inverses as the GNU C library has them, to the last bit in nearly all cases: V8's come from the
 * same origin (fdlibm, Sun Microsystems, 1993), but add up their polynomials in another order, and atanh is another formula.
 */

const LN2 = 6.93147180559945286227e-01;
const LN2_HIGH = 6.93147180369123816490e-01;
const LN2_LOW = 1.90821492927058770002e-10;
const INVERSE_LN2 = 1.44269504088896338700;
/** Beyond it the 1 in x² + 1 is lost. */
const TWO_28 = 2 ** 28;

/** The polynomial in z of log1p, from z¹ on. */
const LOG = [
  6.666666666666735130e-01,
  3.999999999940941908e-01,
  2.857142874366239149e-01,
  2.222219843214978396e-01,
  1.818357216161805012e-01,
  1.531383769920937332e-01,
  1.479819860511658591e-01,
] as const;

/** The polynomial of expm1, from its first power on. */
const EXP = [
  -3.33333333333331316428e-02,
  1.58730158725481460165e-03,
  -7.93650757867487942473e-05,
  4.00821782732936239552e-06,
  -2.01099218183624371326e-07,
] as const;

const words = new DataView(new ArrayBuffer(8));

function highWord(x: number): number {
  words.setFloat64(0, x);
  return words.getInt32(0);
}

function withHighWord(x: number, high: number): number {
  words.setFloat64(0, x);
  words.setInt32(0, high);
  return words.getFloat64(0);
}

/** ln(1 + x), from f and k with 1 + x = 2^k (1 + f). */
function log1p(x: number): number {
  if (!(x > -1) || x === Infinity || Math.abs(x) < 2 ** -29) return Math.log1p(x);
  const high = highWord(x);
  if (high < 0x3fda827a && (high > 0 || high <= (0xbfd2bec3 | 0))) return log1pOf(x, 0, 0, false);
  let u = x;
  let k: number;
  let lost = 0;
  if (high < 0x43400000) {
    u = 1 + x;
    k = (highWord(u) >> 20) - 1023;
    lost = (k > 0 ? 1 - (u - x) : x - (u - 1)) / u;
  } else {
    k = (high >> 20) - 1023;
  }
  let fraction = highWord(u) & 0xfffff;
  if (fraction < 0x6a09e) {
    u = withHighWord(u, fraction | 0x3ff00000);
  } else {
    k++;
    u = withHighWord(u, fraction | 0x3fe00000);
    fraction = (0x100000 - fraction) >> 2;
  }
  return log1pOf(u - 1, k, lost, fraction === 0);
}

function log1pOf(f: number, k: number, lost: number, isTiny: boolean): number {
  const half = 0.5 * f * f;
  if (isTiny) {
    if (f === 0) return k === 0 ? 0 : k * LN2_HIGH + (lost + k * LN2_LOW);
    const rest = half * (1 - 0.66666666666666666 * f);
    return k === 0 ? f - rest : k * LN2_HIGH - ((rest - (k * LN2_LOW + lost)) - f);
  }
  const s = f / (2 + f);
  const z = s * s;
  const z2 = z * z;
  const z4 = z2 * z2;
  const z6 = z4 * z2;
  const rest = z * LOG[0] + z2 * (LOG[1] + z * LOG[2]) + z4 * (LOG[3] + z * LOG[4]) +
    z6 * (LOG[5] + z * LOG[6]);
  if (k === 0) return f - (half - s * (half + rest));
  return k * LN2_HIGH - ((half - (s * (half + rest) + (k * LN2_LOW + lost))) - f);
}

/** e^x − 1 for x from 0 to 22, from r and k with x = k ln 2 + r. */
function expm1(x: number): number {
  if (x < 2 ** -54) return x;
  const [r, k, lost] = reduced(x);
  const half = 0.5 * r;
  const h = r * half;
  const h2 = h * h;
  const polynomial = 1 + h * EXP[0] + h2 * (EXP[1] + h * EXP[2]) + h2 * h2 * (EXP[3] + h * EXP[4]);
  const t = 3 - polynomial * half;
  let e = h * ((polynomial - t) / (6 - r * t));
  if (k === 0) return r - (r * e - h);
  e = (r * (e - lost) - lost) - h;
  if (k === 1) return r < -0.25 ? -2 * (e - (r + 0.5)) : 1 + 2 * (r - e);
  if (k < 20) return ((1 - 2 ** -k) - (e - r)) * 2 ** k;
  return ((r - (e + 2 ** -k)) + 1) * 2 ** k;
}

/** r, k, and what r has lost by rounding. */
function reduced(x: number): readonly [r: number, k: number, lost: number] {
  const high = highWord(x);
  if (high <= 0x3fd62e42) return [x, 0, 0];
  const k = high < 0x3ff0a2b2 ? 1 : Math.trunc(INVERSE_LN2 * x + 0.5);
  const whole = x - k * LN2_HIGH;
  const low = k * LN2_LOW;
  const r = whole - low;
  return [r, k, (whole - r) - low];
}

export function sinh(x: number): number {
  const size = Math.abs(x);
  if (!(size < 22) || size < 2 ** -28) return Math.sinh(x);
  const half = x < 0 ? -0.5 : 0.5;
  const t = expm1(size);
  return half * (size < 1 ? 2 * t - t * t / (t + 1) : t + t / (t + 1));
}

export function cosh(x: number): number {
  const size = Math.abs(x);
  if (!(size < 22)) return Math.cosh(x);
  if (size < 0.5 * LN2) {
    const t = expm1(size);
    const w = 1 + t;
    return size < 2 ** -55 ? w : 1 + (t * t) / (w + w);
  }
  const t = Math.exp(size);
  return 0.5 * t + 0.5 / t;
}

export function asinh(x: number): number {
  const size = Math.abs(x);
  if (!(size <= TWO_28) || size < 2 ** -28) return Math.asinh(x);
  const square = size * size;
  const result = size > 2
    ? Math.log(2 * size + 1 / (Math.sqrt(square + 1) + size))
    : log1p(size + square / (1 + Math.sqrt(1 + square)));
  return x < 0 ? -result : result;
}

export function acosh(x: number): number {
  if (!(x > 1 && x < TWO_28)) return Math.acosh(x);
  if (x > 2) return Math.log(2 * x - 1 / (x + Math.sqrt(x * x - 1)));
  const t = x - 1;
  return log1p(t + Math.sqrt(2 * t + t * t));
}

export function atanh(x: number): number {
  const size = Math.abs(x);
  if (!(size < 1) || size < 2 ** -28) return Math.atanh(x);
  const twice = size + size;
  const result = 0.5 *
    (size < 0.5 ? log1p(twice + twice * size / (1 - size)) : log1p(twice / (1 - size)));
  return x < 0 ? -result : result;
}
