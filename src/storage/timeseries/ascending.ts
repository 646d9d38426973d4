/** Lists of numbers that ascend. Typed arrays have searches of their own: one that meets several kinds of arrays is slower. */

/** The first place whose number is at least `wanted`; the list's length when there is none. */
export function firstAtLeast(values: readonly number[], wanted: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
