/**
 * What the fail point `onPrimaryTransactionalWrite` does to a retryable write of which something is still to be done. (It counts
 * commands; MongoDB counts their statements.)
 *
 *     failBeforeCommitExceptionCode   the write is not done, and answers this error; else it is done
 *     closeConnection                 the connection closes instead of an answer: true unless it is given
 */
import { CommandError } from "../base/mod.ts";
import { numberOf } from "./arguments.ts";
import type { CommandCall } from "./command.ts";

/** @throws CommandError where the write shall not be done */
export function failRetryableWrite({ state, client, generic }: CommandCall): void {
  const data = state.failPoints?.onPrimaryTransactionalWrite.enterIf(() => true);
  if (data === undefined) return;
  if (data.get("closeConnection") !== false) client.endsUnanswered = true;
  const code = data.get("failBeforeCommitExceptionCode");
  if (code === undefined) return;
  throw new CommandError(
    numberOf(code),
    `Failing write for ${generic.sessionId}:${generic.txnNumber} due to failpoint. The write must not be reflected.`,
  );
}
