import { CommandError } from "../../base/mod.ts";

/** What a transaction is told that wants what another has written. */
export function writeConflict(): CommandError {
  return new CommandError(
    "WriteConflict",
    "WriteConflict error: this operation conflicted with another operation. Please retry your operation or " +
      "multi-document transaction.",
  );
}
