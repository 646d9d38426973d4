/** How a test ends, other than well. */

/** Something was not as the test says. */
export class Mismatch extends Error {}

/** The test cannot be run: by this driver, this runner or against this server. */
export class Unrunnable extends Error {}

/** @throws Mismatch unless `condition` holds */
export function expect(condition, message) {
  if (!condition) throw new Mismatch(message);
}
