/** Sets of series as one byte a series: 1 for those in it, 0 for others. */

const BYTES_PER_DOUBLE = 8;

/** A set of some series, those from `count` on left out. */
export function marksOf(series: ReadonlySet<number>, count: number): Uint8Array {
  const marks = new Uint8Array(count);
  for (const number of series) if (number < count) marks[number] = 1;
  return marks;
}

/** The first series from `from` on that is marked; their number when there is none. */
export function nextMarked(marks: Uint8Array, from: number): number {
  if (marks[from] === 1) return from;
  const { length, buffer, byteOffset } = marks;
  let at = from;
  while (at < length && (byteOffset + at) % BYTES_PER_DOUBLE !== 0) {
    if (marks[at] === 1) return at;
    at++;
  }
  if (at >= length) return length;
  // Far ones are found eight bytes at a time.
  const eights = new Float64Array(buffer, byteOffset + at, Math.floor((length - at) / BYTES_PER_DOUBLE));
  let zeros = 0;
  while (zeros < eights.length && eights[zeros] === 0) zeros++;
  at += zeros * BYTES_PER_DOUBLE;
  while (at < length && marks[at] !== 1) at++;
  return at;
}
