/**
 * Transactions of sessions: how statements enter one, and how it ends. It belongs to the session and its number, whatever
 * connection a statement comes by. An error of any statement ends it, as the next number in the session does, and the
 * end of the session, and its time.
 */
import { CommandError } from "../base/mod.ts";
import { endsWithCommit, type Transaction } from "../cluster/mod.ts";
import { type BsonWriter, BuiltDocument, encodeDocument, RawDocument } from "../bson/mod.ts";
import type { Arguments } from "./arguments.ts";
import { SHARD } from "./config_database.ts";
import type { Services } from "./services.ts";
import type { Command } from "./command.ts";
import type { GenericArguments } from "./generic.ts";
import { aborted, noSuchTransaction } from "./session_transaction.ts";
import { type Session, shownSession } from "./sessions.ts";
import type { ServerState } from "./state.ts";
import { WITHOUT_SESSION } from "./without_session.ts";

/** The commands that may run in a transaction, beside its end. */
const ALLOWED: ReadonlySet<string> = new Set([
  "aggregate",
  "bulkWrite",
  "commitTransaction",
  "abortTransaction",
  "create",
  "createIndexes",
  "delete",
  "distinct",
  "find",
  "findAndModify",
  "getMore",
  "insert",
  "killCursors",
  "update",
]);
const READ_LEVELS: ReadonlySet<string> = new Set(["local", "majority", "snapshot"]);

/** Whether a command is a transaction's end. */
export function endsTransaction({ name }: Command): boolean {
  return name === "commitTransaction" || name === "abortTransaction";
}

/** @throws CommandError where the command may not run in a transaction, whatever state that is in */
export function checkAllowedInTransaction(
  command: Command,
  db: string,
  args: Arguments,
  { readConcern }: GenericArguments,
): void {
  if (!ALLOWED.has(command.name)) throw notAllowed(command.name);
  if (args.has("writeConcern") && !endsTransaction(command)) {
    throw invalid("writeConcern is not allowed within a multi-statement transaction");
  }
  if (!READ_LEVELS.has(readConcern.level)) {
    throw invalid(
      "The readConcern level must be either 'local' (default), 'majority' or 'snapshot' in order to run in a transaction",
    );
  }
  if (db === "config") {
    throw unsupported("Cannot run command against the config database in a transaction.");
  }
  if (db === "local") {
    throw unsupported("Cannot run command against the 'local' database in a transaction.");
  }
  const collection = args.get(command.name);
  if (typeof collection === "string" && collection.startsWith("system.")) {
    throw unsupported(`Cannot run command against the '${db}.${collection}' collection in a transaction.`);
  }
}

function notAllowed(name: string): CommandError {
  if (WITHOUT_SESSION.has(name)) return unsupported("This command is not supported in transactions");
  const text = `Cannot run '${name}' in a multi-document transaction.`;
  if (name !== "count") return unsupported(text);
  return unsupported(
    `${text} Please see http://dochub.mongodb.org/core/transaction-count for a recommended alternative.`,
  );
}

/**
 * The transaction that a statement belongs to, begun where it is the first; undefined for the commit of one that is
 * committed.
 *
 * @throws CommandError NoSuchTransaction, TransactionCommitted, TransactionTooOld and others, as MongoDB
 */
export async function enterTransaction(
  state: ServerState,
  session: Session,
  command: Command,
  args: Arguments,
  { txnNumber, startsTransaction }: GenericArguments,
): Promise<Transaction | undefined> {
  const number = txnNumber!;
  const history = session.txnNumber === undefined
    ? await state.services.router.historyOf(session.bytes)
    : undefined;
  const last = session.txnNumber ?? history?.txnNumber ?? -1n;
  if (number < last) throw tooOld(session, number, last);
  if (startsTransaction) {
    if (endsTransaction(command)) {
      const kind = command.name === "commitTransaction" ? "a commit" : "an abort";
      throw unsupported(`Cannot start a transaction with ${kind}`);
    }
    if (command.name === "killCursors") {
      throw unsupported("Cannot run killCursors as the first operation in a multi-document transaction.");
    }
    if (number === last) throw alreadyStarted();
    return begin(state, session, number);
  }
  const isCommit = command.name === "commitTransaction";
  const { transaction } = session;
  if (transaction === undefined || transaction.number !== number) {
    const isLatest = history?.txnNumber === number;
    if (isLatest && endsWithCommit(history)) return afterCommit(number, isCommit);
    throw noSuchTransaction(
      `Given transaction number ${number} does not match any in-progress transactions. The active transaction number is ` +
        `${last}`,
    );
  }
  if (transaction.isCommitted) return afterCommit(number, isCommit);
  if (transaction.handle.isEnded) throw aborted(number);
  if (args.has("readConcern")) {
    throw invalid("Only the first command in a transaction may specify a readConcern");
  }
  return transaction.handle;
}

/** What a router tells of where the transaction is kept: drivers hand it back with the end of it. */
export function writeRecoveryToken(reply: BsonWriter, services: Services): void {
  if (services.replicaSet !== undefined) return;
  reply.value("recoveryToken", RECOVERY_TOKEN);
}

const RECOVERY_TOKEN = new RawDocument(encodeDocument(BuiltDocument.of({ recoveryShardId: SHARD })));

function afterCommit(number: bigint, isCommit: boolean): undefined {
  if (isCommit) return undefined;
  throw new CommandError(
    "TransactionCommitted",
    `Transaction with { txnNumber: ${number} } has been committed.`,
  );
}

function begin(state: ServerState, session: Session, number: bigint): Transaction {
  const { router } = state.services;
  session.endTransaction();
  const handle = router.beginTransaction({ lsid: session.bytes, txnNumber: number });
  session.txnNumber = number;
  session.transaction = { number, handle, isCommitted: false };
  const cancel = state.sessions.lifetimes.begin(
    router.transactionLifetimeMs(),
    () => handle.end(aborted(number)),
  );
  handle.ended.then(() => {
    cancel();
    state.cursors.killTransaction(session.id, number);
  });
  return handle;
}

function alreadyStarted(): CommandError {
  return new CommandError(
    "ConflictingOperationInProgress",
    "Only servers in a sharded cluster can start a new transaction at the active transaction number",
  );
}

function tooOld(session: Session, number: bigint, last: bigint): CommandError {
  return new CommandError(
    "TransactionTooOld",
    `Cannot start transaction with { txnNumber: ${number} } on session ${
      shownSession(session.id)
    } because a newer ` +
      `transaction with txnNumberAndRetryCounter { txnNumber: ${last}, txnRetryCounter: 0 } has already started on this ` +
      "session.",
  );
}

function unsupported(message: string): CommandError {
  return new CommandError("OperationNotSupportedInTransaction", message);
}

function invalid(message: string): CommandError {
  return new CommandError("InvalidOptions", message);
}
