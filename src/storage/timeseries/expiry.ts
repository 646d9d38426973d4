/**
 * What retention took away from a table: rows older than a time, in the segments there were then. Rows that came later
 * are untouched, however old they are, until the next pass takes them too.
 */

/** One pass that took rows away. */
export interface Expiry {
  /** Rows of earlier times are gone, in milliseconds since 1970 … */
  readonly beforeMs: number;
  /** … from segments that arrived no later than this. */
  readonly throughSegment: number;
}

/** The passes with another one, without those that it makes superfluous. */
export function withExpiry(expiries: readonly Expiry[], added: Expiry): readonly Expiry[] {
  const kept = expiries.filter((expiry) =>
    expiry.beforeMs > added.beforeMs || expiry.throughSegment > added.throughSegment
  );
  return [...kept, added];
}

export function isSameExpiry(a: Expiry, b: Expiry): boolean {
  return a.beforeMs === b.beforeMs && a.throughSegment === b.throughSegment;
}

/** The time from which on the rows of a segment of that arrival are there; −Infinity when none were taken. */
export function firstTimeOf(arrival: number, expiries: readonly Expiry[]): number {
  let firstMs = -Infinity;
  for (const { beforeMs, throughSegment } of expiries) {
    if (arrival <= throughSegment) firstMs = Math.max(firstMs, beforeMs);
  }
  return firstMs;
}
