/**
 * Writes to regular collections, in turn: all that waits is evaluated in order inside one open SQLite transaction,
 * logged together, committed once the log is durable, and then answered (group_commit.ts). The commit of a client's
 * transaction is a write among them, whose effects are an entry of the log by themselves. What passes the size of an entry
 * is logged and committed at once, and the rest goes on in the next transaction.
 */
import { CommandError, MAX_DOCUMENT_ENTRY_BYTES } from "../base/mod.ts";
import type { RawDocument } from "../bson/mod.ts";
import type { PlaceIndex, SourceIndex } from "../query/mod.ts";
import {
  type BuildProgress,
  type CollectionLimits,
  type DocumentStore,
  type OwnEffect,
  type Pace,
  type SessionHistory,
  type TakenKey,
  writeConflict,
} from "../storage/mod.ts";
import type { DocumentCheck } from "./document_check.ts";
import { insertDocument } from "./document_insert.ts";
import { failsTransaction, type Pause, runStatement } from "./document_statement.ts";
import { GroupCommit, type LogEffects, type Reserve } from "./group_commit.ts";
import { committed, DoneInserts, doneStatement, type TransactionName } from "./retryable_write.ts";
import type { InsertResult } from "./router.ts";
import type { RetryableWrite, StatementResult, WriteOptions, WriteStatement } from "./write_statement.ts";

/** A collection that is written to; the namespace is for the words of errors. */
export interface WrittenCollection {
  readonly id: number;
  /** `db.collection` */
  readonly namespace: string;
  /** The indexes that may find what a statement asks for; undefined for none. */
  readonly indexes?: () => readonly SourceIndex[];
  /** Undefined where distances are told without one. */
  readonly placeIndexes?: readonly PlaceIndex[] | undefined;
  /** The name of the index that it is clustered by; undefined where it is not. */
  readonly clusteredIndex?: string | undefined;
  /** What a document must pass; undefined where every one may be written. */
  readonly check?: DocumentCheck | undefined;
  /** What it may hold, so that its first documents go as others come; undefined for anything. */
  readonly limits?: CollectionLimits | undefined;
  /** Whether the log keeps documents as they were before a change of theirs. */
  readonly keepsPreImages?: boolean;
}

/** A write that waits for its turn, or for what it did to be durable. */
interface WaitingWrite {
  /** Bytes that it adds at once, if it does. */
  readonly sizeBytes: number;
  /** Evaluates it, or goes on with that; yields where others may work, or have to. */
  readonly evaluate: () => Generator<Pause, () => void, undefined>;
  /** Whether it waited for a client's transaction. */
  readonly hasWaited: boolean;
  /** The client's transaction that it commits: its effects stand or fall together, and in an entry of their own. */
  readonly of: TransactionName | undefined;
  /** Lets others work; throws when it was killed. */
  readonly checkpoint: () => Promise<void>;
  readonly reject: (error: unknown) => void;
}

export class DocumentWriter {
  private waiting: WaitingWrite[] = [];
  /** The end of all that was started: batches and checkpoints run one after another. */
  private turn: Promise<void> = Promise.resolve();
  private readonly group: GroupCommit;

  constructor(
    private readonly store: DocumentStore,
    log: LogEffects,
    reserve: Reserve,
    private readonly maxEntryBytes = MAX_DOCUMENT_ENTRY_BYTES,
    private readonly pace: Pace = NO_PACE,
  ) {
    this.group = new GroupCommit(store, log, reserve);
  }

  /** Stores documents; durable when it resolves. */
  insert(
    collection: WrittenCollection,
    documents: readonly RawDocument[],
    ordered: boolean,
    retryable?: RetryableWrite,
  ): Promise<InsertResult> {
    const sizeBytes = documents.reduce((sum, document) => sum + document.sizeBytes, 0);
    return this.enqueue(sizeBytes, this.pace, function* (this: DocumentWriter) {
      return yield* this.insertAll(collection, documents, ordered, retryable);
    });
  }

  /** Runs updates and deletes, in order; durable when it resolves. @returns results up to the first error, or all */
  write(
    collection: WrittenCollection,
    statements: readonly WriteStatement[],
    { ordered, context, retryable }: WriteOptions,
  ): Promise<readonly StatementResult[]> {
    return this.enqueue(0, context.checkpoint, function* (this: DocumentWriter) {
      const results: StatementResult[] = [];
      for (const [place, statement] of statements.entries()) {
        const result = yield* runStatement({ ...collection, store: this.store.writer }, statement, context);
        results.push(result);
        const done = retryable && doneStatement(retryable, place, result);
        if (done !== undefined) this.store.writer.noteDone(done);
        if (ordered && result.error !== undefined) break;
      }
      return results;
    });
  }

  /** Takes away what a collection holds beyond its limits; durable when it resolves. */
  trim({ id, limits }: WrittenCollection): Promise<void> {
    return this.enqueue(0, NO_PACE, function* (this: DocumentWriter) {
      if (limits === undefined) return;
      while (this.store.hasCollection(id) && !this.store.writer.evict(id, limits, EVICTED_AT_ONCE)) yield;
    });
  }

  /** As the store's `buildIndexes`, in its turn. @param checkpoint lets others work; throws when it was killed */
  buildIndexes(
    id: number,
    specs: readonly RawDocument[],
    checkpoint: (progress: BuildProgress) => Promise<void>,
  ): Promise<TakenKey | undefined> {
    return this.alone(async () => {
      const run = this.store.writer.buildIndexes(id, specs);
      try {
        for (;;) {
          const step = run.next();
          if (step.done === true) return step.value;
          await checkpoint(step.value);
        }
      } finally {
        run.return(undefined);
      }
    });
  }

  /** As the store's `changeIndexes`, in its turn. */
  changeIndexes(id: number, dropped: readonly string[], redefined: readonly RawDocument[]): Promise<void> {
    return this.alone(() => this.store.writer.changeIndexes(id, dropped, redefined));
  }

  /**
   * Makes the store's file hold all that was committed before.
   *
   * @param prepare changes the store first
   */
  async checkpoint(prepare: () => void): Promise<void> {
    await this.alone(() => {
      prepare();
      return this.store.checkpoint();
    });
  }

  /** What a session has done, as far as it stands in the store, all that was logged before included. */
  historyOf(lsid: Uint8Array): Promise<SessionHistory | undefined> {
    return this.alone(() => this.store.statements.find(lsid));
  }

  /** Runs what no transaction may be open for. */
  private alone<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    const done = this.turn.then(() => {
      this.group.commitLeftover();
      return work();
    });
    this.turn = done.then(() => {}, () => {});
    return done;
  }

  private enqueue<Result>(
    sizeBytes: number,
    checkpoint: () => Promise<void>,
    evaluate: (this: DocumentWriter) => Generator<Pause, Result, undefined>,
    of?: TransactionName,
  ): Promise<Result> {
    const run = evaluate.bind(this);
    return new Promise((resolve, reject) => {
      const write: WaitingWrite = {
        sizeBytes,
        checkpoint,
        reject,
        evaluate: function* () {
          const result = yield* run();
          return () => resolve(result);
        },
        hasWaited: false,
        of,
      };
      this.add(write);
    });
  }

  private add(write: WaitingWrite): void {
    this.waiting.push(write);
    if (this.waiting.length === 1) this.turn = this.turn.then(() => this.runBatch());
  }

  /** Goes on with a write when the transaction ends that is in its way; now and then it is looked whether it was killed. */
  private addLater(
    write: WaitingWrite,
    run: ReturnType<WaitingWrite["evaluate"]>,
    freed: Promise<void>,
  ): void {
    let cancel = () => {};
    const goOn = () => {
      cancel();
      cancel = () => {};
      this.add({ ...write, sizeBytes: 0, evaluate: () => run, hasWaited: true });
    };
    const timer = setTimeout(goOn, BLOCKED_LOOK_MS);
    let isDue = true;
    cancel = () => {
      isDue = false;
      clearTimeout(timer);
    };
    freed.then(() => isDue && goOn());
  }

  private async runBatch(): Promise<void> {
    const batch = this.waiting.splice(0);
    let current: WaitingWrite | undefined;
    try {
      this.group.begin();
      while ((current = batch.shift()) !== undefined) {
        if (this.store.writer.effectBytes + current.sizeBytes > this.maxEntryBytes) await this.logAndGoOn();
        if (current.of !== undefined) this.group.endEntry();
        const answer = await this.evaluate(current);
        if (answer === undefined) continue;
        this.group.add({ answer, reject: current.reject });
        if (current.of !== undefined) this.group.endEntry(current.of);
      }
      await this.group.commit();
    } catch (error) {
      if (this.store.writer.isOpen) this.store.writer.rollback();
      this.group.reject(error);
      current?.reject(error);
      for (const { reject } of batch) reject(error);
    }
  }

  /**
   * Evaluates a write.
   *
   * @returns what answers it, once it is durable; undefined where it waits for a client's transaction, and goes on
   *   later, or was refused
   */
  private async evaluate(write: WaitingWrite): Promise<(() => void) | undefined> {
    try {
      const run = write.evaluate();
      const killed = write.hasWaited ? await this.pause(write) : undefined;
      let step = killed === undefined ? run.next() : run.throw(killed);
      while (step.done !== true) {
        if (step.value instanceof Promise) {
          this.addLater(write, run, step.value);
          return undefined;
        }
        const killed = await this.pause(write);
        step = killed === undefined ? run.next() : run.throw(killed);
      }
      return step.value;
    } catch (error) {
      if (write.of === undefined || !(error instanceof CommandError) || failsTransaction(error)) throw error;
      this.store.writer.rollbackEntry();
      write.reject(error);
      return undefined;
    }
  }

  /** Logs what has become too much for one entry, and lets others work where they may. @returns why the write shall end */
  private async pause(write: WaitingWrite): Promise<CommandError | undefined> {
    if (write.of === undefined && this.store.writer.effectBytes >= this.maxEntryBytes) {
      await this.logAndGoOn();
    }
    if (!this.store.readersAreApart) return undefined;
    try {
      await write.checkpoint();
      return undefined;
    } catch (error) {
      if (error instanceof CommandError) return error;
      throw error;
    }
  }

  private async logAndGoOn(): Promise<void> {
    if (this.store.writer.effectBytes === 0) return;
    await this.group.commit();
    this.group.begin();
  }

  /**
   * Carries out a client's transaction; durable, in one entry of the log, when it resolves.
   *
   * @throws CommandError WriteConflict, OutOfDiskSpace and its like; then nothing has changed
   */
  carryOut(effects: readonly OwnEffect[], of: TransactionName, seconds: number): Promise<void> {
    return this.enqueue(0, this.pace, function* (this: DocumentWriter) {
      const { store } = this;
      for (const [i, effect] of effects.entries()) {
        if (i % EFFECTS_AT_ONCE === EFFECTS_AT_ONCE - 1) yield;
        const fits = store.hasCollection(effect.collectionId);
        if (!fits || store.writer.carryOut(effect) !== undefined) throw writeConflict();
      }
      store.writer.noteDone(committed(of, seconds));
    }, of);
  }

  private *insertAll(
    collection: WrittenCollection,
    documents: readonly RawDocument[],
    ordered: boolean,
    retryable: RetryableWrite | undefined,
  ): Generator<Pause, InsertResult, undefined> {
    const done = retryable &&
      new DoneInserts(retryable, (statements) => this.store.writer.noteDone(statements));
    const errors: { index: number; error: CommandError }[] = [];
    let inserted = 0;
    for (const [index, document] of documents.entries()) {
      if (index % INSERTS_AT_ONCE === INSERTS_AT_ONCE - 1) {
        done?.flush();
        yield;
      }
      let error = insertDocument(this.store.writer, collection, document);
      while (error instanceof Promise) {
        done?.flush();
        yield error;
        error = insertDocument(this.store.writer, collection, document);
      }
      if (error === undefined) {
        done?.add(index);
        inserted++;
        continue;
      }
      errors.push({ index, error });
      if (ordered) break;
    }
    done?.flush();
    return { inserted, errors };
  }
}

/** Documents inserted between two yields. */
const INSERTS_AT_ONCE = 256;

/** Documents taken away between two yields. */
const EVICTED_AT_ONCE = 256;
/** Effects of a client's transaction between two yields. */
const EFFECTS_AT_ONCE = 256;
/** How often it is looked whether a write that waits for a client's transaction was killed. */
const BLOCKED_LOOK_MS = 50;

const NO_PACE: Pace = () => Promise.resolve();
