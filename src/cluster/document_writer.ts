/**
 * Writes to regular collections, in turn: all that waits (up to some megabytes) is evaluated in order inside one open SQLite transaction,
 * logged together, committed once the log is durable, and then answered.
 */
import { assert, CommandError, MAX_DOCUMENT_ENTRY_BYTES } from "../base/mod.ts";
import type { RawDocument } from "../bson/mod.ts";
import { type DocumentStore, duplicateKeyError } from "../storage/mod.ts";
import { withIdFirst } from "./document_id.ts";
import type { InsertResult } from "./router.ts";

/** Logs the effects of one transaction. @returns the entry's index, once it is durable */
export type LogEffects = (effects: readonly Uint8Array[]) => Promise<number>;

interface WaitingInsert {
  readonly collectionId: number;
  readonly namespace: string;
  readonly documents: readonly RawDocument[];
  readonly ordered: boolean;
  readonly resolve: (result: InsertResult) => void;
  readonly reject: (error: unknown) => void;
}

/** An entry that is durable in the log and that SQLite could not commit. */
interface Uncommitted {
  readonly index: number;
  readonly payload: Uint8Array;
}

export class DocumentWriter {
  private waiting: WaitingInsert[] = [];
  /** The end of all that was started: batches and checkpoints run one after another. */
  private turn: Promise<void> = Promise.resolve();
  private uncommitted: Uncommitted | undefined;

  constructor(
    private readonly store: DocumentStore,
    private readonly log: LogEffects,
    private readonly maxEntryBytes = MAX_DOCUMENT_ENTRY_BYTES,
  ) {}

  /** Stores documents; durable when it resolves. `namespace` is for the words of an error. */
  insert(
    collectionId: number,
    namespace: string,
    documents: readonly RawDocument[],
    ordered: boolean,
  ): Promise<InsertResult> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ collectionId, namespace, documents, ordered, resolve, reject });
      if (this.waiting.length === 1) this.turn = this.turn.then(() => this.runBatch());
    });
  }

  /** Makes the store's file hold all that was committed before. */
  async checkpoint(): Promise<void> {
    const done = this.turn.then(() => {
      this.commitLeftover();
      this.store.checkpoint();
    });
    this.turn = done.catch(() => {});
    await done;
  }

  private async runBatch(): Promise<void> {
    const batch = this.takeBatch();
    if (this.waiting.length > 0) this.turn = this.turn.then(() => this.runBatch());
    try {
      this.commitLeftover();
      const results = await this.evaluateAndLog(batch);
      batch.forEach((insert, i) => insert.resolve(results[i]!));
    } catch (error) {
      for (const insert of batch) insert.reject(error);
    }
  }

  /** The first inserts that wait, as many as one entry of the log may hold. */
  private takeBatch(): WaitingInsert[] {
    let count = 0;
    let bytes = 0;
    for (const { documents } of this.waiting) {
      for (const document of documents) bytes += document.sizeBytes;
      if (count > 0 && bytes > this.maxEntryBytes) break;
      count++;
    }
    return this.waiting.splice(0, count);
  }

  private async evaluateAndLog(batch: readonly WaitingInsert[]): Promise<readonly InsertResult[]> {
    this.store.begin();
    let effects: readonly Uint8Array[];
    let results: readonly InsertResult[];
    let index: number;
    try {
      results = batch.map((insert) => this.evaluate(insert));
      effects = this.store.effects();
      if (effects.length === 0) {
        this.store.rollback();
        return results;
      }
      index = await this.log(effects);
    } catch (error) {
      this.store.rollback();
      throw error;
    }
    try {
      this.store.commit(index);
    } catch (error) {
      this.uncommitted = { index, payload: joined(effects) };
      throw error;
    }
    return results;
  }

  /** Brings SQLite to where the log is, after a commit that failed (a full disk). */
  private commitLeftover(): void {
    if (this.uncommitted === undefined) return;
    this.store.replay(this.uncommitted.index, this.uncommitted.payload);
    this.uncommitted = undefined;
  }

  private evaluate(insert: WaitingInsert): InsertResult {
    const errors: { index: number; error: CommandError }[] = [];
    let inserted = 0;
    for (const [index, document] of insert.documents.entries()) {
      const error = this.evaluateOne(insert, document);
      if (error === undefined) {
        inserted++;
        continue;
      }
      errors.push({ index, error });
      if (insert.ordered) break;
    }
    return { inserted, errors };
  }

  private evaluateOne(insert: WaitingInsert, document: RawDocument): CommandError | undefined {
    if (!this.store.hasCollection(insert.collectionId)) {
      return new CommandError("NamespaceNotFound", `collection ${insert.namespace} was dropped`);
    }
    let stored: RawDocument;
    try {
      stored = withIdFirst(document);
    } catch (error) {
      if (error instanceof CommandError) return error;
      throw error;
    }
    if (this.store.insert(insert.collectionId, stored)) return undefined;
    return duplicateKeyError(insert.namespace, stored.get("_id"));
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  assert(at === bytes.length, "all parts are joined");
  return bytes;
}
