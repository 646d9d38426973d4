/**
 * The labels that drivers act on: whether to send a retryable write again, to start a transaction anew, to open a change
 * stream where it was. Which error gets which is MongoDB's table.
 */
import { CommandError, ErrorCode } from "../base/mod.ts";
import { Document, isArray } from "../bson/mod.ts";
import type { Arguments } from "./arguments.ts";

/** What a command is, as far as labels depend on it. */
export interface LabelledCommand {
  readonly name: string;
  /** Its arguments; undefined where they could not be read. */
  readonly args: Arguments | undefined;
}

/** The network and the primary: another try may go well. */
const RETRYABLE: ReadonlySet<number> = new Set([
  ErrorCode.HostUnreachable,
  ErrorCode.HostNotFound,
  ErrorCode.NetworkTimeout,
  ErrorCode.ShutdownInProgress,
  ErrorCode.PrimarySteppedDown,
  ErrorCode.ExceededTimeLimit,
  ErrorCode.ConnectionPoolExpired,
  ErrorCode.SocketException,
  ErrorCode.NotWritablePrimary,
  ErrorCode.InterruptedAtShutdown,
  ErrorCode.InterruptedDueToReplStateChange,
  ErrorCode.NotPrimaryNoSecondaryOk,
  ErrorCode.NotPrimaryOrSecondary,
]);
/** In a transaction these leave nothing behind, so that the whole of it may be tried again. */
const TRANSIENT: ReadonlySet<number> = new Set([
  ErrorCode.LockTimeout,
  ErrorCode.StaleShardVersion,
  ErrorCode.WriteConflict,
  ErrorCode.StaleEpoch,
  ErrorCode.SnapshotTooOld,
  ErrorCode.SnapshotUnavailable,
  ErrorCode.PreparedTransactionInProgress,
]);
const RESUMABLE: ReadonlySet<number> = new Set([
  ErrorCode.StaleShardVersion,
  ErrorCode.FailedToSatisfyReadPreference,
  ErrorCode.StaleEpoch,
  ErrorCode.RetryChangeStream,
]);
/** The member is not the primary: an answer with one of these tells the topology version. */
const NOT_PRIMARY: ReadonlySet<number> = new Set([
  ErrorCode.PrimarySteppedDown,
  ErrorCode.NotWritablePrimary,
  ErrorCode.InterruptedDueToReplStateChange,
  ErrorCode.NotPrimaryNoSecondaryOk,
  ErrorCode.NotPrimaryOrSecondary,
]);

/** Whether an answer with that code says which topology version it was given under. */
export function tellsTopology(code: number): boolean {
  return NOT_PRIMARY.has(code);
}

/** The error with the labels that its code has in that command, besides those that it has already. */
export function withLabels(error: CommandError, command: LabelledCommand): CommandError {
  if (error.labelsAreFinal) return error;
  const more = labelsFor(error.code, command, false).filter((label) =>
    !error.errorLabels.includes(label) && !(label === TRANSIENT_TRANSACTION && mayBeCommitted(error))
  );
  if (more.length === 0) return error;
  const { code, message, errorLabels, extra } = error;
  return new CommandError(code, message, { errorLabels: [...errorLabels, ...more], extra });
}

const TRANSIENT_TRANSACTION = "TransientTransactionError";

/** Where a commit's concern was not met either, another node may know of the transaction. */
function mayBeCommitted({ code, extra }: CommandError): boolean {
  return code === ErrorCode.NoSuchTransaction && extra["writeConcernError"] !== undefined;
}

/** The labels of a code. @param fromWriteConcern whether it is the write concern's error, of a command that went well */
export function labelsFor(
  code: number,
  { name, args }: LabelledCommand,
  fromWriteConcern: boolean,
): readonly string[] {
  if (args === undefined) return [];
  const labels: string[] = [];
  const ends = name === "commitTransaction" || name === "abortTransaction";
  const inTransaction = args.get("autocommit") === false;
  if (inTransaction && !fromWriteConcern && isTransient(code, ends)) labels.push(TRANSIENT_TRANSACTION);
  const retryable = ends || (!inTransaction && args.get("txnNumber") !== undefined);
  if (retryable && RETRYABLE.has(code)) labels.push("RetryableWriteError");
  if (!fromWriteConcern && opensChangeStream(name, args) && (RETRYABLE.has(code) || RESUMABLE.has(code))) {
    labels.push(RESUMABLE_CHANGE_STREAM);
  }
  return labels;
}

/** The label of an error that a change stream, opened again where it was, may get over. */
export const RESUMABLE_CHANGE_STREAM = "ResumableChangeStreamError";

/** Whether a change stream that failed with the code may be opened again where it was. */
export function isResumable(code: number): boolean {
  return RETRYABLE.has(code) || RESUMABLE.has(code);
}

function isTransient(code: number, ends: boolean): boolean {
  if (TRANSIENT.has(code) || code === ErrorCode.NoSuchTransaction) return true;
  return !ends && RETRYABLE.has(code);
}

function opensChangeStream(name: string, args: Arguments): boolean {
  if (name !== "aggregate") return false;
  const pipeline = args.get("pipeline");
  const first = isArray(pipeline) ? pipeline[0] : undefined;
  return first instanceof Document && first.get("$changeStream") !== undefined;
}
