/**
 * A client's transaction as the router and the VNode know it: the documents that it has written and sees, and the
 * collections that it makes. It belongs to a session and a number, not to a connection, and lives in memory until it is
 * committed. Who runs a query in it hands it over as the query's `snapshot`.
 */
import { CommandError } from "../base/mod.ts";
import { type Document } from "../bson/mod.ts";
import type { CommandContext } from "../query/mod.ts";
import { type DocumentTransaction, indexDefinition, type OwnEffect, type StoreView } from "../storage/mod.ts";
import { type CollectionInfo, type Namespace, namespaceText } from "./catalog.ts";
import { partialFilter, storedSpec } from "./indexes.ts";
import { hasKeys } from "./place_check.ts";
import type { TransactionName } from "./retryable_write.ts";

/** What who goes on with a transaction that was committed is told; one for all, since its stack costs more than a statement. */
const ENDED = new CommandError("NoSuchTransaction", "the transaction has ended");

export class Transaction implements TransactionName {
  /** By `db.collection`; their ids are below zero until the commit. */
  private readonly made = new Map<string, CollectionInfo>();
  private isOver = false;
  private isCommitting = false;
  private free = () => {};
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;

  constructor(
    readonly lsid: Uint8Array,
    readonly txnNumber: bigint,
    readonly documents: DocumentTransaction,
    /** The measurements that it sees. */
    readonly measurements: StoreView,
    private readonly onEnd: (transaction: Transaction) => void,
  ) {
    this.ended = new Promise((resolve) => this.free = resolve);
  }

  /** The transaction that a query runs in. */
  static of({ snapshot }: Pick<CommandContext, "snapshot">): Transaction | undefined {
    return snapshot instanceof Transaction ? snapshot : undefined;
  }

  get isEnded(): boolean {
    return this.isOver;
  }

  /** Commits it, and ends it. Until then what it wrote is its own: nothing else ends it. */
  async commit(work: () => Promise<void>): Promise<void> {
    this.isCommitting = true;
    this.documents.seal();
    try {
      await work();
    } finally {
      this.isCommitting = false;
      this.end(ENDED);
    }
  }

  /** Ends it; nothing of it remains but what was committed. @param reason what who goes on with it is told */
  end(reason: CommandError): void {
    if (this.isOver || this.isCommitting) return;
    this.isOver = true;
    this.documents.end(reason);
    this.measurements.close();
    this.onEnd(this);
    this.free();
  }

  /** A collection that it makes. */
  collection(namespace: Namespace): CollectionInfo | undefined {
    return this.made.get(namespaceText(namespace));
  }

  /** All collections that it makes, in the order in which it does. */
  get collections(): readonly CollectionInfo[] {
    return [...this.made.values()];
  }

  /** Whether it has written to a collection. */
  wroteTo(id: number): boolean {
    return this.documents.collectionIds.includes(id);
  }

  /** Whether there is a document of it. */
  wroteDocumentsTo(id: number): boolean {
    return this.documents.effects.some(({ collectionId }) => collectionId === id);
  }

  /** @throws CommandError WriteConflict when another transaction makes one of that name */
  makeCollection(info: Omit<CollectionInfo, "id">): CollectionInfo {
    const name = namespaceText(info);
    this.documents.claimName(name);
    const made = { ...info, id: -1 - this.made.size };
    this.made.set(name, made);
    this.documents.makeCollection(made.id, []);
    return made;
  }

  /** Gives a collection that it makes indexes; it must be empty. @param indexes all of them, as the catalog is to hold them */
  setIndexes(info: CollectionInfo, indexes: readonly Document[]): void {
    this.made.set(namespaceText(info), { ...info, indexes });
    const definitions = indexes.filter(hasKeys).map((spec) =>
      indexDefinition(storedSpec(spec), partialFilter)
    );
    this.documents.makeCollection(info.id, definitions);
  }

  /** What it did, in order. @param ids those that its collections have got, by the ones that they had */
  effects(ids: ReadonlyMap<number, number>): readonly OwnEffect[] {
    if (ids.size === 0) return this.documents.effects;
    return this.documents.effects.map((effect) => ({
      ...effect,
      collectionId: ids.get(effect.collectionId) ?? effect.collectionId,
    }));
  }
}
