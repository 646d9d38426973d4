/** Sets of series as one byte a series: 1 for those in it. */

/** A set of some series, those from `count` on left out. */
export function marksOf(series: ReadonlySet<number>, count: number): Uint8Array {
  const marks = new Uint8Array(count);
  for (const number of series) if (number < count) marks[number] = 1;
  return marks;
}

/** The first series from `from` on that is marked; their number when there is none. */
export function nextMarked(marks: Uint8Array, from: number): number {
  if (marks[from] === 1) return from;
  const found = marks.indexOf(1, from);
  return found < 0 ? marks.length : found;
}
