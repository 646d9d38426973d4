/** What a node answers when it cannot write any more. */
import { CommandError } from "../base/mod.ts";
import { isDiskFull } from "../io/mod.ts";

export function shuttingDown(): CommandError {
  return new CommandError("ShutdownInProgress", "the node is shutting down");
}

/** A full disk as a client's error; any other error as it is. */
export function namedIfFull(error: unknown): unknown {
  if (!isDiskFull(error)) return error;
  return new CommandError("OutOfDiskSpace", `the data folder's device is full: ${String(error)}`);
}
