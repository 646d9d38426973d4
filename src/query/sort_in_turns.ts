/**
 * A stable sort that lets others run: pieces are sorted by the engine's own sort and merged pair by pair, with a pause after
 * each some thousand comparisons. Sorting a hundred thousand rows at once would keep the event loop for half a second.
 */
const PIECE_LENGTH = 1024;

/**
 * Sorts an array. Arrays of one piece are sorted in place and given back.
 *
 * @param pause awaited now and then
 */
export async function sortInTurns<T>(
  items: T[],
  order: (a: T, b: T) => number,
  pause: () => Promise<void>,
): Promise<T[]> {
  if (items.length <= PIECE_LENGTH) return items.sort(order);
  let from: T[] = new Array<T>(items.length);
  for (let start = 0; start < items.length; start += PIECE_LENGTH) {
    const piece = items.slice(start, start + PIECE_LENGTH).sort(order);
    for (let i = 0; i < piece.length; i++) from[start + i] = piece[i]!;
    await pause();
  }
  let to = items;
  for (let width = PIECE_LENGTH; width < items.length; width *= 2) {
    for (let start = 0; start < items.length; start += 2 * width) {
      await mergePair(from, to, start, width, order, pause);
    }
    [from, to] = [to, from];
  }
  return from;
}

/** Merges `from[start, start + width)` and the `width` items behind it into the same places of `to`. */
async function mergePair<T>(
  from: readonly T[],
  to: T[],
  start: number,
  width: number,
  order: (a: T, b: T) => number,
  pause: () => Promise<void>,
): Promise<void> {
  const middle = Math.min(start + width, from.length);
  const end = Math.min(middle + width, from.length);
  if (middle === end || order(from[middle - 1]!, from[middle]!) <= 0) {
    for (let at = start; at < end; at++) to[at] = from[at]!;
    return await pause();
  }
  let left = start;
  let right = middle;
  for (let at = start; at < end;) {
    const pauseAt = Math.min(end, at + PIECE_LENGTH);
    for (; at < pauseAt; at++) {
      const takesLeft = left < middle && (right >= end || order(from[left]!, from[right]!) <= 0);
      to[at] = takesLeft ? from[left++]! : from[right++]!;
    }
    await pause();
  }
}
