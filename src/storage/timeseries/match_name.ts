/**
 * Whether the bytes at `at` are the name `[start, end)` of `names`; returns the place behind it, or -1. Compares words, the
 * last one over bytes that were compared already.
 */
export function matchName(names: DataView, start: number, end: number, view: DataView, at: number): number {
  const behind = at + end - start;
  if (behind > view.byteLength) return -1;
  if (end - start < 4) {
    for (let i = start; i < end; i++) if (names.getUint8(i) !== view.getUint8(at++)) return -1;
    return behind;
  }
  const last = end - 4;
  for (let i = start; i < last; i += 4, at += 4) {
    if (names.getInt32(i, true) !== view.getInt32(at, true)) return -1;
  }
  return names.getInt32(last, true) === view.getInt32(behind - 4, true) ? behind : -1;
}
