/**
 * Work on one row or value that has taken long, such as a search for a pattern that goes back again and again. Who goes through rows looks
 * at the clock between many of them; it asks here after each, and then does not wait so long.
 */
let isNoted = false;

/** The call that runs now has taken long. */
export function noteLongWork(): void {
  isNoted = true;
}

/** Whether work has taken long since this was asked last. */
export function takeLongWork(): boolean {
  const wasNoted = isNoted;
  isNoted = false;
  return wasNoted;
}
