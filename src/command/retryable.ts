/** Retryable writes: what was done already is answered again, not done again. */
import { CommandError } from "../base/mod.ts";
import { type BsonWriter, Int32 } from "../bson/mod.ts";
import type { CommandCall } from "./command.ts";

/** Appends the fields of an answer. */
export type Answer = (reply: BsonWriter) => void | Promise<void>;

/**
 * Does a write and answers it, or answers the one that came with the same number before.
 *
 * @param statements how many the write has: all are named in the answer of a retry; undefined where it can have only one
 * @throws CommandError TransactionTooOld when a newer write was begun in the session
 */
export async function answerOnce(
  call: CommandCall,
  reply: BsonWriter,
  statements: number | undefined,
  work: () => Promise<Answer>,
): Promise<void> {
  const { session } = call;
  const number = call.generic.txnNumber;
  if (session === undefined || number === undefined) return await (await work())(reply);
  const last = session.retryableWrite;
  if (last !== undefined && last.number === number) {
    await (await last.answer)(reply);
    return writeRetried(reply, statements);
  }
  if (last !== undefined && last.number > number) {
    throw new CommandError(
      "TransactionTooOld",
      `Retryable write with txnNumber ${number} is prohibited on session ${session.id} because a newer retryable ` +
        `write with txnNumber ${last.number} has already started on this session.`,
    );
  }
  const answer = work();
  const write = { number, answer };
  session.retryableWrite = write;
  answer.catch(() => {
    if (session.retryableWrite === write) session.retryableWrite = undefined;
  });
  await (await answer)(reply);
}

function writeRetried(reply: BsonWriter, statements: number | undefined): void {
  if (statements === undefined) return reply.value("retriedStmtId", Int32.of(0));
  reply.value("retriedStmtIds", Array.from({ length: statements }, (_, i) => Int32.of(i)));
}

/** @throws CommandError InvalidOptions when a write on many documents asks to be retried */
export function refuseRetry(call: CommandCall, what: string): void {
  if (call.generic.txnNumber === undefined) return;
  throw new CommandError("InvalidOptions", `Cannot use (or request) retryable writes with ${what}`);
}
