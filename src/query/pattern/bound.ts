/** Bounds of a number of steps: polynomials over the length of a text, `[a, b, c]` for a + b × length + c × length². */
export type Bound = readonly number[];

export const ONE: Bound = [1];
export const LENGTH: Bound = [0, 1];
/** Beyond every limit: what comes to more is not told apart. */
const HIGHEST_DEGREE = 6;
const LARGEST_FACTOR = 1e12;
export const UNBOUNDED: Bound = [Infinity];

export function constant(steps: number): Bound {
  return [steps];
}

export function sum(a: Bound, b: Bound): Bound {
  return eachFactor(a, b, (left, right) => left + right);
}

/** A bound for either of two. */
export function larger(a: Bound, b: Bound): Bound {
  return eachFactor(a, b, Math.max);
}

function eachFactor(a: Bound, b: Bound, merge: (left: number, right: number) => number): Bound {
  const [longer, shorter] = a.length >= b.length ? [a, b] : [b, a];
  return longer.map((factor, degree) => merge(factor, shorter[degree] ?? 0));
}

export function product(a: Bound, b: Bound): Bound {
  if (!isFinite(a[0]!) || !isFinite(b[0]!) || a.length + b.length > HIGHEST_DEGREE + 2) return UNBOUNDED;
  const factors = new Array<number>(a.length + b.length - 1).fill(0);
  for (const [degree, left] of a.entries()) {
    for (const [other, right] of b.entries()) factors[degree + other]! += left * right;
  }
  return factors.some((factor) => factor > LARGEST_FACTOR) ? UNBOUNDED : factors;
}

export function power(bound: Bound, exponent: number): Bound {
  if (bound.length === 1) return [bound[0]! ** exponent];
  let result = ONE;
  for (let count = 0; count < exponent && result !== UNBOUNDED; count++) result = product(result, bound);
  return result;
}

/** The bound for a text of so many UTF-16 units. */
export function stepsAt(bound: Bound, length: number): number {
  return bound.reduceRight((steps, factor) => steps * length + factor, 0);
}

/** The longest text for which the bound stays within some steps; -1 where it does for none. */
export function longestWithin(bound: Bound, steps: number): number {
  if (!(stepsAt(bound, 0) <= steps)) return -1;
  let low = 0;
  let high = 2 ** 30;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (stepsAt(bound, middle) <= steps) low = middle;
    else high = middle - 1;
  }
  return low;
}
