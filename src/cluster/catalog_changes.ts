/**
 * Changes of the catalog, with what they ask of the collections' shard: made, changed, renamed, dropped, indexed. They run
 * one after another, each deciding on the state that the one before left; those that a transaction makes wait in it
 * until it commits.
 */
import { CommandError } from "../base/mod.ts";
import { Binary, BuiltDocument, type Document } from "../bson/mod.ts";
import { type BuildProgress, writeConflict } from "../storage/mod.ts";
import { type CollectionInfo, type Namespace, namespaceText } from "./catalog.ts";
import { indexesOf } from "./indexes.ts";
import type { MNode } from "./mnode.ts";
import { checkRename } from "./rename.ts";
import type { CollectionSpec } from "./router.ts";
import type { Transaction } from "./transaction.ts";
import { notSupported } from "./transaction_writes.ts";
import { checkViewCycle, refuseView } from "./views.ts";
import type { VNode } from "./vnode.ts";

const UUID_SUBTYPE = 4;

/** Who keeps the catalog. Changes are durable when they resolve. */
export interface CatalogOwner {
  readonly catalog: MNode;
  addCollection(info: CollectionInfo): Promise<void>;
  modifyCollection(info: CollectionInfo): Promise<void>;
  dropCollection(id: number): Promise<void>;
  dropDatabase(db: string): Promise<void>;
}

/** Its methods do what those of the same names say in `Router`. */
export class CatalogChanges {
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly owner: CatalogOwner, private readonly vnode: VNode) {}

  async createCollection(
    namespace: Namespace,
    spec: CollectionSpec,
    transaction?: Transaction,
  ): Promise<void> {
    const checkNew = () => {
      if (this.collectionIn(namespace, transaction) === undefined) return;
      throw new CommandError("NamespaceExists", `Collection ${namespaceText(namespace)} already exists.`);
    };
    if (transaction !== undefined) {
      checkNew();
      transaction.makeCollection({ ...namespace, ...spec, uuid: newUuid() });
      return;
    }
    await this.inTurn(async () => {
      checkNew();
      this.checkView(namespace, spec);
      await this.owner.addCollection(this.newCollection(namespace, spec));
    });
  }

  async modifyCollection(
    namespace: Namespace,
    specOf: (info: CollectionInfo) => CollectionSpec,
  ): Promise<void> {
    await this.whenFree(namespace);
    await this.inTurn(async () => {
      const info = this.collection(namespace);
      if (info === undefined) throw new CommandError("NamespaceNotFound", "ns does not exist");
      const { id, uuid, indexes } = info;
      const spec = specOf(info);
      this.checkView(namespace, spec);
      await this.owner.modifyCollection({ ...namespace, id, uuid, ...(indexes && { indexes }), ...spec });
    });
  }

  async createIndexes(
    namespace: Namespace,
    specsOf: (info: CollectionInfo) => readonly Document[],
    checkpoint: (progress: BuildProgress) => Promise<void>,
    transaction?: Transaction,
  ): Promise<void> {
    if (transaction !== undefined) return this.createIndexesIn(transaction, namespace, specsOf);
    await this.whenFree(namespace);
    await this.inTurn(async () => {
      const info = this.indexedCollection(namespace);
      const specs = specsOf(info);
      if (specs.length === 0) return;
      // The catalog names an index only when it holds every document: one that it does not name goes at the next start.
      await this.vnode.buildIndexes(info, specs, checkpoint);
      await this.owner.modifyCollection({ ...info, indexes: [...indexesOf(info), ...specs] });
    });
  }

  /** In a transaction, a collection may get indexes while it is made. */
  private createIndexesIn(
    transaction: Transaction,
    namespace: Namespace,
    specsOf: (info: CollectionInfo) => readonly Document[],
  ): void {
    const info = this.collectionIn(namespace, transaction);
    if (info === undefined) {
      throw new CommandError("NamespaceNotFound", `ns not found ${namespaceText(namespace)}`);
    }
    const specs = specsOf(info);
    if (specs.length === 0) return;
    const isMade = transaction.collection(namespace) !== undefined;
    if (!isMade || transaction.wroteDocumentsTo(info.id)) {
      const kind = isMade ? "non-empty" : "existing";
      throw notSupported(
        `Cannot create new indexes on ${kind} collection ${
          namespaceText(namespace)
        } in a multi-document transaction.`,
      );
    }
    transaction.setIndexes(info, [...info.indexes ?? [], ...specs]);
  }

  async changeIndexes(
    namespace: Namespace,
    changed: (info: CollectionInfo) => readonly Document[],
  ): Promise<void> {
    await this.whenFree(namespace);
    await this.inTurn(async () => {
      const info = this.indexedCollection(namespace);
      const indexes = changed(info);
      await this.owner.modifyCollection({ ...info, indexes });
      if (info.timeseries === undefined) await this.vnode.keepIndexes(info, indexes);
    });
  }

  private indexedCollection(namespace: Namespace): CollectionInfo {
    const info = this.collection(namespace);
    if (info === undefined) {
      throw new CommandError("NamespaceNotFound", `ns not found ${namespaceText(namespace)}`);
    }
    refuseView(info);
    return info;
  }

  async convertToCapped(
    namespace: Namespace,
    optionsOf: (info: CollectionInfo) => Document,
  ): Promise<void> {
    await this.whenFree(namespace);
    await this.inTurn(async () => {
      const info = this.collection(namespace);
      if (info === undefined) {
        const text = `source collection ${namespaceText(namespace)} does not exist`;
        throw new CommandError("NamespaceNotFound", text);
      }
      refuseView(info);
      const { indexes: _, ...others } = info;
      const changed = { ...others, options: optionsOf(info) };
      await this.owner.modifyCollection(changed);
      await this.vnode.keepIndexes(changed, []);
      await this.vnode.trim(changed);
    });
  }

  async renameCollection(source: Namespace, target: Namespace, dropTarget: boolean): Promise<void> {
    await this.whenFree(source);
    await this.whenFree(target);
    await this.inTurn(async () => {
      const lookup = (namespace: Namespace) => this.collection(namespace);
      checkRename(source, target, dropTarget, lookup, this.owner.catalog.collections(source.db).length > 0);
      await this.owner.modifyCollection({ ...lookup(source)!, ...target });
    });
  }

  async dropCollection(namespace: Namespace): Promise<boolean> {
    await this.whenFree(namespace);
    return await this.inTurn(async () => {
      const info = this.collection(namespace);
      if (info !== undefined) await this.owner.dropCollection(info.id);
      return info !== undefined;
    });
  }

  async dropDatabase(db: string): Promise<boolean> {
    for (const info of this.owner.catalog.collections(db)) await this.whenFree(info);
    return await this.inTurn(async () => {
      const collections = this.owner.catalog.collections(db);
      for (const info of collections) await this.owner.dropCollection(info.id);
      if (collections.length > 0) await this.owner.dropDatabase(db);
      return collections.length > 0;
    });
  }

  /** Waits for the transactions that have written to a collection. */
  private async whenFree(namespace: Namespace): Promise<void> {
    const info = this.collection(namespace);
    if (info !== undefined) await this.vnode.transactions.whenFree(info.id);
  }

  async commitTransaction(transaction: Transaction): Promise<void> {
    await transaction.commit(() =>
      transaction.collections.length === 0
        ? this.vnode.commitTransaction(transaction, new Map())
        : this.inTurn(() => this.commitWithCollections(transaction))
    );
  }

  /** Makes the transaction's collections first. A crash before its own entry is durable leaves them, empty. */
  private async commitWithCollections(transaction: Transaction): Promise<void> {
    const ids = new Map<number, number>();
    try {
      for (const info of transaction.collections) {
        if (this.collection(info) !== undefined) throw writeConflict();
        const { indexes = [], ...spec } = info;
        const made = { ...spec, id: this.owner.catalog.nextId };
        await this.owner.addCollection(made);
        ids.set(info.id, made.id);
        if (indexes.length === 0) continue;
        await this.vnode.buildIndexes(made, indexes, () => Promise.resolve());
        await this.owner.modifyCollection({ ...made, indexes });
      }
      await this.vnode.commitTransaction(transaction, ids);
    } catch (error) {
      for (const id of ids.values()) await this.owner.dropCollection(id);
      throw error;
    }
  }

  /** The collection that a write names, made where there is none. @throws CommandError when it is a view */
  async collectionToWrite(namespace: Namespace): Promise<CollectionInfo> {
    const info = this.collection(namespace);
    refuseView(info);
    if (info !== undefined) return info;
    return await this.inTurn(async () => {
      const madeMeanwhile = this.collection(namespace);
      if (madeMeanwhile !== undefined) return madeMeanwhile;
      const made = this.newCollection(namespace, { options: BuiltDocument.EMPTY });
      await this.owner.addCollection(made);
      return made;
    });
  }

  /** As `collectionToWrite`; what is missing is made when the transaction commits. */
  collectionToWriteIn(transaction: Transaction, namespace: Namespace): CollectionInfo {
    const info = this.collectionIn(namespace, transaction);
    refuseView(info);
    return info ??
      transaction.makeCollection({ ...namespace, options: BuiltDocument.EMPTY, uuid: newUuid() });
  }

  /** A collection as a transaction sees it. */
  collectionIn(namespace: Namespace, transaction: Transaction | undefined): CollectionInfo | undefined {
    return transaction?.collection(namespace) ?? this.collection(namespace);
  }

  private collection(namespace: Namespace): CollectionInfo | undefined {
    return this.owner.catalog.collection(namespace);
  }

  private checkView(namespace: Namespace, { view }: CollectionSpec): void {
    if (view !== undefined) checkViewCycle(namespace, view, (other) => this.collection(other));
  }

  private newCollection(namespace: Namespace, spec: CollectionSpec): CollectionInfo {
    return { ...namespace, ...spec, id: this.owner.catalog.nextId, uuid: newUuid() };
  }

  /** Runs a change when those before it have ended. */
  inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.turn.then(change);
    this.turn = turn.catch(() => {});
    return turn;
  }
}

/** A random UUID (version 4). */
function newUuid(): Binary {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return new Binary(bytes, UUID_SUBTYPE);
}
