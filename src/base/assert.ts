/** A broken invariant of ChronoGo itself, never something a client or a disk did. The node stops on it. */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/**
 * Checks an invariant of our own code.
 *
 * @param what the invariant in words; it becomes the message when it does not hold
 * @throws AssertionError when `condition` is false
 */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new AssertionError(`assertion failed: ${what}`);
}

/** Marks a place that the types say cannot be reached: the `default` of an exhaustive switch. */
export function unreachable(value: never): never {
  throw new AssertionError(`assertion failed: unexpected value ${String(value)}`);
}
