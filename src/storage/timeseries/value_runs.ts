/** Values that are the same, one behind the other: each run's value, and how many there are. */
export function runsOf(all: Int32Array): { readonly values: number[]; readonly lengths: number[] } {
  const values: number[] = [];
  const lengths: number[] = [];
  for (let i = 0, start = 0; i < all.length; start = i) {
    while (i < all.length && all[i] === all[start]) i++;
    values.push(all[start]!);
    lengths.push(i - start);
  }
  return { values, lengths };
}
