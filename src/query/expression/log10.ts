/**
 * The decimal logarithm as fdlibm's e_log10 has it (Sun Microsystems, 1993), and with it MongoDB's C library, to the last bit:
 * 2^k·m gives k·log10(2), in two parts, and ln(m)/ln(10). JavaScript's own differs in one of twenty.
 */
const LOG10_OF_2_HIGH = 3.01029995663611771306e-01;
const LOG10_OF_2_LOW = 3.69423907715893078616e-13;
const INVERSE_LN_10 = 4.34294481903251816668e-01;
const BIAS = 1023;
const EXPONENT_SHIFT = 20;
const MANTISSA_MASK = 0xfffff;
const LEAST_NORMAL = 2 ** -1022;

const bits = new DataView(new ArrayBuffer(8));

/** @param x a double above 0; others as `Math.log10` has them */
export function log10(x: number): number {
  if (!(x >= LEAST_NORMAL && x < Infinity)) return Math.log10(x);
  bits.setFloat64(0, x);
  const high = bits.getInt32(0);
  const exponent = (high >> EXPONENT_SHIFT) - BIAS;
  // Below 1 the mantissa lies in [0.5, 1), so that the two parts have one sign.
  const k = exponent < 0 ? exponent + 1 : exponent;
  bits.setInt32(0, (high & MANTISSA_MASK) | ((BIAS - (k - exponent)) << EXPONENT_SHIFT));
  const low = k * LOG10_OF_2_LOW + INVERSE_LN_10 * Math.log(bits.getFloat64(0));
  return low + k * LOG10_OF_2_HIGH;
}
