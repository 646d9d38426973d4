/**
 * Retryable writes: a statement that was done already is answered again, not done again, also where the server was killed
 * in between. Which statements were done stands in the log with what they did (storage/documents/done_statements.ts);
 * here they are left out of what is still to be done, and their results put in their places.
 */
import { CommandError } from "../base/mod.ts";
import { type BsonWriter, Int32 } from "../bson/mod.ts";
import {
  type DoneStatements,
  endsWithCommit,
  resultOf,
  type RetryableWrite,
  type StatementResult,
} from "../cluster/mod.ts";
import type { CommandCall } from "./command.ts";
import { failRetryableWrite } from "./fail_retryable_write.ts";
import { shownSession } from "./sessions.ts";
import { WITHOUT_SESSION } from "./without_session.ts";

export class Retryable {
  /** @param done ascending and apart */
  private constructor(
    private readonly write: RetryableWrite,
    private readonly done: readonly DoneStatements[],
  ) {}

  /**
   * The retryable write that a command is; undefined where it is none.
   *
   * @param count statements of the command
   * @throws CommandError TransactionTooOld when a newer write was begun in the session
   */
  static async of(call: CommandCall, count: number): Promise<Retryable | undefined> {
    const { session, generic: { txnNumber, inTransaction } } = call;
    if (session === undefined || txnNumber === undefined || inTransaction) return undefined;
    const { router, clock } = call.state.services;
    const stmtIds = statementIds(call, count);
    const write = { lsid: session.bytes, txnNumber, seconds: Math.floor(clock.nowMs() / 1000), stmtIds };
    const isKnown = session.txnNumber !== undefined && session.txnNumber < txnNumber;
    const history = isKnown ? undefined : await router.historyOf(session.bytes);
    const last = maxOf(session.txnNumber, history?.txnNumber);
    if (last > txnNumber) {
      throw new CommandError(
        "TransactionTooOld",
        `Retryable write with txnNumber ${txnNumber} is prohibited on session ${
          shownSession(session.id)
        } because a ` +
          `newer retryable write with txnNumber ${last} has already started on this session.`,
      );
    }
    if (session.transaction?.number === txnNumber || (history !== undefined && endsWithCommit(history))) {
      const text = "Cannot retry a retryable write that has been converted into a transaction";
      throw new CommandError("IncompleteTransactionHistory", text);
    }
    session.endTransaction();
    session.txnNumber = txnNumber;
    const done = history?.txnNumber === txnNumber ? history.done : [];
    const retryable = new Retryable(write, [...done].sort((a, b) => a.first - b.first));
    if (stmtIds.some((_, place) => retryable.resultAt(place) === undefined)) failRetryableWrite(call);
    return retryable;
  }

  /** What came of the statement at a place before; undefined where it was not done. */
  resultAt(place: number): StatementResult | undefined {
    const id = this.write.stmtIds[place]!;
    let low = 0;
    let high = this.done.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.done[middle]!.first <= id) low = middle + 1;
      else high = middle;
    }
    const done = this.done[low - 1];
    return done !== undefined && id < done.first + done.count ? resultOf(done) : undefined;
  }

  /** The write, for the statements at some places. */
  at(places: readonly number[]): RetryableWrite {
    return { ...this.write, stmtIds: places.map((place) => this.write.stmtIds[place]!) };
  }

  /** The write without the statements before a place, which is then the first. */
  from(place: number): Retryable {
    return new Retryable({ ...this.write, stmtIds: this.write.stmtIds.slice(place) }, this.done);
  }

  /** Appends the ids of the statements that were done before, if there are any. @param places of them */
  writeRetried(reply: BsonWriter, places: readonly number[]): void {
    if (places.length === 0) return;
    reply.value("retriedStmtIds", places.map((place) => Int32.of(this.write.stmtIds[place]!)));
  }

  /** As `writeRetried`, for a command that is one statement. */
  writeRetriedOne(reply: BsonWriter): void {
    reply.value("retriedStmtId", Int32.of(this.write.stmtIds[0]!));
  }
}

/** @throws CommandError where there are too few or too many */
function statementIds({ args }: CommandCall, count: number): readonly number[] {
  const ids = args.array("stmtIds");
  const first = args.integer("stmtId");
  if (ids === undefined) return Array.from({ length: count }, (_, place) => (first ?? 0) + place);
  if (first !== undefined) {
    throw new CommandError("InvalidOptions", "May not specify both stmtId and stmtIds in write command.");
  }
  if (ids.length !== count) {
    throw new CommandError(
      "InvalidLength",
      `Number of statement ids must match the number of batch entries. Got ${ids.length} statement ids but ${count} ` +
        "operations.",
    );
  }
  return ids.map((id) => {
    if (id instanceof Int32) return id.value;
    throw new CommandError("TypeMismatch", "statement ids are of type int");
  });
}

function maxOf(...numbers: readonly (bigint | undefined)[]): bigint {
  return numbers.reduce<bigint>((max, number) => number !== undefined && number > max ? number : max, -1n);
}

/** @throws CommandError InvalidOptions when a write on many documents asks to be retried */
export function refuseRetry(call: CommandCall, what: string): void {
  if (call.generic.txnNumber === undefined || call.generic.inTransaction) return;
  throw new CommandError("InvalidOptions", `Cannot use (or request) retryable writes with ${what}`);
}

/** @throws CommandError when a command that is no retryable write has a transaction number */
export function refuseNumber(name: string): void {
  if (WITHOUT_SESSION.has(name)) {
    throw new CommandError(50889, "It is illegal to provide a txnNumber for this command");
  }
  throw new CommandError(
    "NotARetryableWriteCommand",
    "txnNumber may only be provided for multi-document transactions and retryable write commands. autocommit:false " +
      `was not provided, and ${name} is not a retryable write command.`,
  );
}
