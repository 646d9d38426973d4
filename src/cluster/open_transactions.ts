/** The clients' transactions that are open on one VNode: their beginning, what they write, their commit, what they hold. */
import {
  CommandError,
  type Logger,
  type MemoryBudget,
  type MemoryLease,
  TRANSACTION_SHARE,
} from "../base/mod.ts";
import type { RawDocument } from "../bson/mod.ts";
import type { Clock } from "../io/mod.ts";
import { type DocumentStore, pacer, type TimeseriesStore } from "../storage/mod.ts";
import type { CollectionInfo } from "./catalog.ts";
import type { DocumentWriter } from "./document_writer.ts";
import { withTimes } from "./inserted_times.ts";
import type { TransactionName } from "./retryable_write.ts";
import type { InsertOptions, InsertResult } from "./router.ts";
import { Transaction } from "./transaction.ts";
import { checkWritable, insertInTransaction, writeInTransaction } from "./transaction_writes.ts";
import type { StatementResult, WriteOptions, WriteStatement } from "./write_statement.ts";
import { writtenCollection } from "./written_collection.ts";

export class OpenTransactions {
  /** In the order in which they began. */
  private readonly open = new Set<Transaction>();
  private readonly lease: MemoryLease;
  private refusal: CommandError | undefined;
  /** Lets others work, now and then. */
  private readonly pace: () => Promise<void>;

  constructor(
    private readonly store: DocumentStore,
    private readonly timeseries: Pick<TimeseriesStore, "openView">,
    private readonly writer: DocumentWriter,
    private readonly memory: MemoryBudget,
    private readonly logger: Logger,
    private readonly clock: Clock,
  ) {
    this.pace = pacer(clock, () => {});
    this.lease = memory.lease();
  }

  /**
   * Begins a transaction: a snapshot of what is there now, and what it will write.
   *
   * @param name the session and the number that it has there
   */
  begin({ lsid, txnNumber }: TransactionName): Transaction {
    if (this.refusal !== undefined) throw this.refusal;
    const documents = this.store.openTransactionOfClient(this.memory.share(TRANSACTION_SHARE));
    const transaction = new Transaction(lsid, txnNumber, documents, this.timeseries.openView(), (ended) => {
      this.open.delete(ended);
      this.count();
    });
    this.open.add(transaction);
    return transaction;
  }

  /** As the VNode's, of a regular collection. The first WriteConflict is thrown, and the transaction has to be ended. */
  async insert(
    transaction: Transaction,
    info: CollectionInfo,
    documents: readonly RawDocument[],
    ordered: boolean,
    { bypassValidation = false }: InsertOptions,
  ): Promise<InsertResult> {
    checkWritable(info, true);
    const collection = writtenCollection(transaction.documents, info, bypassValidation, this.logger);
    const result = await insertInTransaction(
      transaction.documents,
      collection,
      withTimes(documents, () => this.clock.nowMs()),
      ordered,
      this.pace,
    );
    this.count();
    throwConflict(result.errors.map(({ error }) => error));
    return result;
  }

  /** As `insert`. */
  async write(
    transaction: Transaction,
    info: CollectionInfo,
    statements: readonly WriteStatement[],
    options: WriteOptions,
  ): Promise<readonly StatementResult[]> {
    checkWritable(info, false);
    const bypass = options.context.bypassValidation === true;
    const collection = writtenCollection(transaction.documents, info, bypass, this.logger);
    const results = await writeInTransaction(transaction.documents, collection, statements, options);
    this.count();
    throwConflict(results.map(({ error }) => error));
    return results;
  }

  /**
   * Commits a transaction, durable and seen as a whole when it resolves. Its end is the caller's.
   *
   * @param ids what the collections that it makes are known by now
   * @param seconds since 1970
   * @throws CommandError WriteConflict, OutOfDiskSpace and their like; then nothing of it is there
   */
  async commit(transaction: Transaction, ids: ReadonlyMap<number, number>, seconds: number): Promise<void> {
    const effects = transaction.effects(ids);
    if (effects.length > 0) await this.writer.carryOut(effects, transaction, seconds);
  }

  /** Resolves when no transaction has written to a collection. */
  async whenFree(id: number): Promise<void> {
    for (const transaction of [...this.open]) if (transaction.wroteTo(id)) await transaction.ended;
  }

  /** Ends all of them, and refuses new ones. */
  close(reason: CommandError): void {
    this.refusal = reason;
    for (const transaction of [...this.open]) transaction.end(reason);
  }

  /** Counts the memory that they hold; where earlier versions take too much, the oldest snapshot goes. */
  count(): void {
    const most = this.memory.share(TRANSACTION_SHARE);
    for (const transaction of this.open) {
      if (this.store.versions.sizeBytes <= most) break;
      transaction.end(
        new CommandError(
          "SnapshotTooOld",
          "the snapshot needs more memory for earlier versions than there is",
        ),
      );
    }
    let bytes = this.store.versions.sizeBytes;
    for (const { documents } of this.open) bytes += documents.sizeBytes;
    this.lease.set(bytes);
  }
}

function throwConflict(errors: readonly (CommandError | undefined)[]): void {
  const conflict = errors.find((error) => error?.codeName === "WriteConflict");
  if (conflict !== undefined) throw conflict;
}
