/** The transaction of a session, and its end. */
import { CommandError } from "../base/mod.ts";
import type { Transaction } from "../cluster/mod.ts";

/** A session's transaction. */
export interface SessionTransaction {
  readonly number: bigint;
  readonly handle: Transaction;
  isCommitted: boolean;
}

/** Ends a session's transaction; nothing of it remains. */
export function abort({ handle, number }: SessionTransaction): void {
  handle.end(aborted(number));
}

export function aborted(number: bigint): CommandError {
  return noSuchTransaction(`Transaction with { txnNumber: ${number} } has been aborted.`);
}

export function noSuchTransaction(message: string): CommandError {
  return new CommandError("NoSuchTransaction", message);
}
