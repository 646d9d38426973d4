/**
 * Which numbers of a dense column lie between bounds, as the list of their places. Which of them do is mostly as good as
 * random, and a processor that guesses a branch wrong loses more than ten comparisons take: so a place is written, and the end
 * of the list goes on by what two subtractions say, without a branch.
 */
import { selectBytes } from "./byte_lanes.ts";
import type { NumberArray } from "./column_view.ts";

/** Values from `least` to `greatest` but for `excluded`, which is NaN for none or one of both. */
export interface Bounds {
  readonly least: number;
  readonly greatest: number;
  readonly excluded: number;
}

/** Beyond all numbers of 16 bits, with room for differences. */
const FAR = 2 ** 20;

/**
 * Puts the places of `numbers[from, to)` that lie between the bounds into `out`; answers how many.
 *
 * @param out holds as many as there are numbers
 */
export function selectNumbers(
  numbers: NumberArray,
  { from, to }: { readonly from: number; readonly to: number },
  bounds: Bounds,
  out: Int32Array,
): number {
  if (numbers instanceof Int8Array) {
    const { below, above } = wholeBounds(bounds);
    return selectBytes(numbers, from, to, Math.max(-128, below + 1), Math.min(127, above - 1), out);
  }
  if (numbers instanceof Int16Array) return selectShorts(numbers, from, to, wholeBounds(bounds), out);
  if (numbers instanceof Int32Array) return selectInts(numbers, from, to, bounds, out);
  return selectDoubles(numbers, from, to, bounds, out);
}

interface WholeBounds {
  /** The greatest number below, and the least one above, those between. */
  readonly below: number;
  readonly above: number;
}

function wholeBounds({ least, greatest, excluded }: Bounds): WholeBounds {
  const first = least === excluded ? Math.floor(least) + 1 : Math.ceil(least);
  const last = greatest === excluded ? Math.ceil(greatest) - 1 : Math.floor(greatest);
  // Nothing lies between bounds of which one is NaN.
  if (!(first <= last)) return { below: FAR, above: -FAR };
  return { below: Math.max(-FAR, Math.min(FAR, first - 1)), above: Math.max(-FAR, Math.min(FAR, last + 1)) };
}

// One function for each kind of array: a loop that meets several is three times slower.

function selectShorts(
  numbers: Int16Array,
  from: number,
  to: number,
  { below, above }: WholeBounds,
  out: Int32Array,
): number {
  let kept = 0;
  for (let place = from; place < to; place++) {
    const value = numbers[place]!;
    out[kept] = place;
    kept -= ((below - value) & (value - above)) >> 31;
  }
  return kept;
}

function selectInts(
  numbers: Int32Array,
  from: number,
  to: number,
  { least, greatest, excluded }: Bounds,
  out: Int32Array,
): number {
  let kept = 0;
  for (let place = from; place < to; place++) {
    const value = numbers[place]!;
    if (value >= least && value <= greatest && value !== excluded) out[kept++] = place;
  }
  return kept;
}

function selectDoubles(
  numbers: Float64Array,
  from: number,
  to: number,
  { least, greatest, excluded }: Bounds,
  out: Int32Array,
): number {
  let kept = 0;
  for (let place = from; place < to; place++) {
    const value = numbers[place]!;
    if (value >= least && value <= greatest && value !== excluded) out[kept++] = place;
  }
  return kept;
}
