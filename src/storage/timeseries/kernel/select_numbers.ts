/**
 * Which numbers of a dense column lie between bounds, as the list of their places. Which of them do is mostly as good as
 * random, and a processor that guesses a branch wrong loses more than ten comparisons take: so a place is written, and the end
 * of the list goes on by what two subtractions say, without a branch.
 */
import { BIAS, BORROWS, EACH_LANE, FLIPPED_SIGNS, LANES } from "./byte_lanes.ts";
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
  if (numbers instanceof Int8Array) return selectBytes(numbers, from, to, wholeBounds(bounds), out);
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

/** Four at a time, as `byte_lanes.ts` has them: where few pass, most fours have none. */
function selectBytes(
  bytes: Int8Array,
  from: number,
  to: number,
  { below, above }: WholeBounds,
  out: Int32Array,
): number {
  const first = Math.max(-128, below + 1);
  const last = Math.min(127, above - 1);
  if (first > last) return 0;
  const start = bytes.byteOffset % 4 === 0 ? Math.min(to, (from + 3) & ~3) : to;
  let kept = selectEach(bytes, from, start, first, last, out, 0);
  if (start === to) return kept;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, to >> 2);
  const least = (first + BIAS) * EACH_LANE;
  const greatest = (last + BIAS) * EACH_LANE | BORROWS;
  for (let word = start >> 2; word < words.length; word++) {
    const four = words[word]! ^ FLIPPED_SIGNS;
    const even = four & LANES;
    const odd = (four >>> 8) & LANES;
    // The bit above a lane stays where the subtraction borrows nothing from it.
    const evenPass = ((even | BORROWS) - least) & (greatest - even) & BORROWS;
    const oddPass = ((odd | BORROWS) - least) & (greatest - odd) & BORROWS;
    if ((evenPass | oddPass) === 0) continue;
    const place = word << 2;
    out[kept] = place;
    kept += (evenPass >> 8) & 1;
    out[kept] = place + 1;
    kept += (oddPass >> 8) & 1;
    out[kept] = place + 2;
    kept += evenPass >> 24;
    out[kept] = place + 3;
    kept += oddPass >> 24;
  }
  return selectEach(bytes, Math.max(start, to & ~3), to, first, last, out, kept);
}

function selectEach(
  bytes: Int8Array,
  from: number,
  to: number,
  first: number,
  last: number,
  out: Int32Array,
  kept: number,
): number {
  for (let place = from; place < to; place++) {
    if (bytes[place]! >= first && bytes[place]! <= last) out[kept++] = place;
  }
  return kept;
}

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
