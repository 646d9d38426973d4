/**
 * Why the server did not start, or stopped: one clear line for the person at the terminal and an exit code.
 *
 * Exit codes: 0 a clean stop, 1 something outside is wrong (port, folder, file, damage), 2 wrong usage (flag or value),
 * 130 and 143 a second SIGINT or SIGTERM.
 */
export class StartError extends Error {
  override readonly name = "StartError";

  constructor(message: string, readonly exitCode: 1 | 2 = 1) {
    super(message);
  }
}

/** A wrong flag, value or variable. */
export function usageError(message: string): StartError {
  return new StartError(message, 2);
}
