/** The router of a single node: the catalog is at hand, and every collection lives in the one VNode of this isolate. */
import { Binary, BuiltDocument, type Document, type RawDocument, type Value } from "../bson/mod.ts";
import { CommandError, type MemoryBudget, TRANSACTION_LIFETIME_SECONDS } from "../base/mod.ts";
import {
  collationOf,
  type CollectionKind,
  type CollectionName,
  type CommandContext,
  EMPTY_SOURCE,
  execute,
  explain,
  onView,
  type OpenCollection,
  type Pipeline,
  type QueryContext,
  QueryMemory,
  type Replacement,
  type Rows,
  type Source,
  type SpillSpace,
  type UpdateRequest,
  WritePlan,
} from "../query/mod.ts";
import { cappedLimits, checkCapped, type CollectionTail } from "./capped.ts";
import { type CollectionInfo, type Namespace, namespaceText } from "./catalog.ts";
import type { ChangeFeed, ChangeFeedOptions } from "./change_stream/change_feed.ts";
import type { ClusterTime } from "./cluster_clock.ts";
import type { MNode } from "./mnode.ts";
import type {
  CollectionSpec,
  CollectionStats,
  InsertOptions,
  InsertResult,
  RetentionCounts,
  RetentionSettings,
  Router,
  Verification,
} from "./router.ts";
import { specOf } from "./document_statement.ts";
import { beginReplacement, insertAll } from "./replacement.ts";
import { type SessionHistory, writeConflict } from "../storage/mod.ts";
import type { TransactionName } from "./retryable_write.ts";
import { Transaction } from "./transaction.ts";
import { notSupported } from "./transaction_writes.ts";
import { timeseriesOfDocument, timeseriesSpecOf } from "./timeseries_spec.ts";
import { hasUniqueKey, indexesOf } from "./indexes.ts";
import { checkRename } from "./rename.ts";
import { checkViewCycle, refuseView, resolveView, writeOnView } from "./views.ts";
import type { VNode } from "./vnode.ts";
import type { StatementResult, WriteOptions, WriteStatement } from "./write_statement.ts";

const UUID_SUBTYPE = 4;

/** What the router asks of its node. Changes of the catalog are durable when they resolve. */
export interface RoutedNode {
  readonly catalog: MNode;
  addCollection(info: CollectionInfo): Promise<void>;
  modifyCollection(info: CollectionInfo): Promise<void>;
  dropCollection(id: number): Promise<void>;
  dropDatabase(db: string): Promise<void>;
  changeFeed(options: ChangeFeedOptions): ChangeFeed;
  checkpoint(): Promise<void>;
  retention(change?: Partial<RetentionSettings>): RetentionSettings;
  readonly retentionCounts: RetentionCounts;
  readonly clusterTime: ClusterTime;
  /** Where queries count what they hold, and put aside what they cannot. */
  readonly memory: MemoryBudget;
  readonly spill: SpillSpace;
}

export class LocalRouter implements Router {
  /** Changes of the catalog run one after another: each decides on the state that the one before left. */
  private catalogTurn: Promise<unknown> = Promise.resolve();
  private lifetimeMs = TRANSACTION_LIFETIME_SECONDS * 1000;

  constructor(private readonly owner: RoutedNode, private readonly vnode: VNode) {}

  get clusterTime(): ClusterTime {
    return this.owner.clusterTime;
  }

  databaseNames(): readonly string[] {
    return this.owner.catalog.databaseNames();
  }

  collections(db: string): readonly CollectionInfo[] {
    return this.owner.catalog.collections(db);
  }

  collection(namespace: Namespace): CollectionInfo | undefined {
    return this.owner.catalog.collection(namespace);
  }

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
    checkpoint: () => Promise<void>,
    transaction?: Transaction,
  ): Promise<void> {
    if (transaction !== undefined) return this.createIndexesIn(transaction, namespace, specsOf);
    await this.whenFree(namespace);
    await this.inTurn(async () => {
      const info = this.indexedCollection(namespace);
      const specs = specsOf(info);
      if (specs.length === 0) return;
      // The catalog names an index only when it holds every document: one that it does not name goes at the next start.
      if (info.timeseries === undefined) await this.vnode.buildIndexes(info, specs, checkpoint);
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

  duplicates(namespace: Namespace, index: string): readonly (readonly Value[])[] {
    const info = this.collection(namespace);
    return info === undefined ? [] : this.vnode.duplicates(info, index);
  }

  private indexedCollection(namespace: Namespace): CollectionInfo {
    const info = this.collection(namespace);
    if (info === undefined) {
      throw new CommandError("NamespaceNotFound", `ns not found ${namespaceText(namespace)}`);
    }
    refuseView(info);
    return info;
  }

  tail(namespace: Namespace): CollectionTail | undefined {
    const info = this.collection(namespace);
    if (info === undefined) return undefined;
    checkCapped(info);
    return this.vnode.tail(info);
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
      checkRename(source, target, dropTarget, lookup, this.collections(source.db).length > 0);
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
    for (const info of this.collections(db)) await this.whenFree(info);
    return await this.inTurn(async () => {
      const collections = this.collections(db);
      for (const info of collections) await this.owner.dropCollection(info.id);
      if (collections.length > 0) await this.owner.dropDatabase(db);
      return collections.length > 0;
    });
  }

  async insert(
    namespace: Namespace,
    documents: readonly RawDocument[],
    ordered: boolean,
    options: InsertOptions = {},
  ): Promise<InsertResult> {
    const { transaction } = options;
    if (transaction !== undefined) {
      const info = this.collectionToWriteIn(transaction, namespace);
      return await this.vnode.transactions.insert(transaction, info, documents, ordered, options);
    }
    return await this.vnode.insert(await this.collectionToWrite(namespace), documents, ordered, options);
  }

  historyOf(lsid: Uint8Array): Promise<SessionHistory | undefined> {
    return this.vnode.historyOf(lsid);
  }

  async write(
    namespace: Namespace,
    statements: readonly WriteStatement[],
    options: WriteOptions,
  ): Promise<readonly StatementResult[]> {
    const upserts = statements.some((statement) => statement.kind === "update" && statement.upsert === true);
    const transaction = Transaction.of(options.context);
    if (transaction !== undefined) {
      const info = upserts
        ? this.collectionToWriteIn(transaction, namespace)
        : this.collectionIn(namespace, transaction);
      refuseView(info);
      if (info === undefined) return writeNothing(statements, options);
      return await this.vnode.transactions.write(transaction, info, statements, options);
    }
    const existing = this.collection(namespace);
    if (existing?.view !== undefined) return writeOnView(existing, statements, options);
    const info = upserts ? await this.collectionToWrite(namespace) : existing;
    if (info === undefined) return writeNothing(statements, options);
    return await this.vnode.write(info, statements, options);
  }

  query(namespace: Namespace, pipeline: Pipeline, context: CommandContext): Rows {
    const { source, stages } = this.open(namespace, Transaction.of(context));
    return this.queryRows(namespace.db, source, onView(pipeline, stages, context), context);
  }

  queryRows(db: string, source: Source, pipeline: Pipeline, context: CommandContext): Rows {
    const memory = this.memoryFor(context);
    return closing(
      execute(pipeline, source, this.inDatabase(db, { ...context, ...collationOf(pipeline) }, memory)),
      memory,
    );
  }

  async explain(
    namespace: Namespace,
    pipeline: Pipeline,
    context: CommandContext,
    verbosity: string,
  ): Promise<Document> {
    const memory = this.memoryFor(context);
    try {
      const inside = this.inDatabase(namespace.db, { ...context, ...collationOf(pipeline) }, memory);
      const { source, stages } = this.open(namespace);
      return await explain(
        onView(pipeline, stages, context),
        source,
        inside,
        verbosity,
        namespaceText(namespace),
      );
    } finally {
      memory.close();
    }
  }

  changeFeed(options: ChangeFeedOptions): ChangeFeed {
    return this.owner.changeFeed(options);
  }

  async compact(namespace: Namespace): Promise<void> {
    const info = this.collection(namespace);
    if (info !== undefined) await this.vnode.compact(info);
  }

  stats(namespace: Namespace): CollectionStats {
    const info = this.collection(namespace);
    if (info === undefined || info.view !== undefined) {
      return { count: 0, dataBytes: 0, storageBytes: 0, indexBytes: 0 };
    }
    return this.vnode.stats(info);
  }

  private memoryFor({ allowDiskUse }: CommandContext): QueryMemory {
    return new QueryMemory(this.owner.memory, allowDiskUse === false ? undefined : this.owner.spill);
  }

  private inDatabase(db: string, context: CommandContext, memory: QueryMemory): QueryContext {
    const transaction = Transaction.of(context);
    const options = { bypassValidation: context.bypassValidation === true, transaction };
    return {
      ...context,
      memory,
      collections: {
        db,
        open: (name) => this.open(name, transaction),
        kindOf: (name) => this.kindOf(name),
        hasUniqueKey: (name, fields) => hasUniqueKey(this.collection(name), fields),
        replace: (name, timeseries) => this.replace(name, timeseries, context),
        insert: (name, documents) => insertAll(documents, (raw) => this.insert(name, raw, true, options)),
        update: (name, requests) => this.update(name, requests, context),
      },
    };
  }

  private async update(
    name: CollectionName,
    requests: readonly UpdateRequest[],
    context: CommandContext,
  ): Promise<readonly boolean[]> {
    const statements = requests.map((request): WriteStatement => ({ kind: "update", ...request }));
    const results = await this.write(name, statements, { ordered: true, context });
    return results.map(({ matched, upsertedId, error }) => {
      if (error !== undefined) throw error;
      return matched > 0 || upsertedId !== undefined;
    });
  }

  private kindOf(name: CollectionName): CollectionKind {
    const info = this.collection(name);
    if (info === undefined) return "missing";
    if (info.view !== undefined) return "view";
    return info.timeseries === undefined ? "documents" : "timeseries";
  }

  private replace(
    name: CollectionName,
    timeseries: Document | undefined,
    context: CommandContext,
  ): Promise<Replacement> {
    const existing = this.collection(name);
    if (existing !== undefined && cappedLimits(existing) !== undefined) {
      const text = `namespace '${namespaceText(name)}' is capped so it can't be used for $out`;
      throw new CommandError(17152, text);
    }
    const options = { bypassValidation: context.bypassValidation === true };
    const target = timeseries === undefined ? existing?.timeseries : timeseriesOfDocument(timeseries);
    const spec = target === undefined
      ? { options: existing?.options ?? BuiltDocument.EMPTY }
      : timeseriesSpecOf(target, existing?.options.get("collation"));
    return beginReplacement(name, spec, {
      create: async (namespace, own) => {
        await this.createCollection(namespace, own);
        const indexes = existing?.indexes;
        if (indexes !== undefined) await this.createIndexes(namespace, () => indexes, context.checkpoint);
        return this.collection(namespace)!;
      },
      modify: (info) => this.inTurn(() => this.owner.modifyCollection(info)),
      drop: (info) => this.inTurn(() => this.owner.dropCollection(info.id)),
      insert: (info, documents) => this.vnode.insert(info, documents, true, options),
    });
  }

  private open(name: CollectionName, transaction?: Transaction): OpenCollection {
    const { namespace, stages } = resolveView(name, (other) => this.collectionIn(other, transaction));
    return { source: this.source(namespace, transaction), stages };
  }

  async verify(namespace: Namespace, isFull: boolean, pause: () => Promise<void>): Promise<Verification> {
    const info = this.collection(namespace);
    if (info === undefined) {
      const text = `Collection '${namespaceText(namespace)}' does not exist to validate.`;
      throw new CommandError("NamespaceNotFound", text);
    }
    return await this.vnode.verify(info, isFull, pause);
  }

  checkpoint(): Promise<void> {
    return this.owner.checkpoint();
  }

  retention(change?: Partial<RetentionSettings>): RetentionSettings {
    return this.owner.retention(change);
  }

  get retentionCounts(): RetentionCounts {
    return this.owner.retentionCounts;
  }

  private source(namespace: Namespace, transaction: Transaction | undefined): Source {
    const info = this.collectionIn(namespace, transaction);
    return info === undefined ? EMPTY_SOURCE : this.vnode.source(info, transaction);
  }

  /** A collection as a transaction sees it. */
  private collectionIn(
    namespace: Namespace,
    transaction: Transaction | undefined,
  ): CollectionInfo | undefined {
    return transaction?.collection(namespace) ?? this.collection(namespace);
  }

  private collectionToWriteIn(transaction: Transaction, namespace: Namespace): CollectionInfo {
    const info = this.collectionIn(namespace, transaction);
    refuseView(info);
    return info ??
      transaction.makeCollection({ ...namespace, options: BuiltDocument.EMPTY, uuid: newUuid() });
  }

  /** Waits for the transactions that have written to a collection. */
  private async whenFree(namespace: Namespace): Promise<void> {
    const info = this.collection(namespace);
    if (info !== undefined) await this.vnode.transactions.whenFree(info.id);
  }

  beginTransaction(name: TransactionName): Transaction {
    return this.vnode.transactions.begin(name);
  }

  transactionLifetimeMs(change = this.lifetimeMs): number {
    return this.lifetimeMs = change;
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

  private async collectionToWrite(namespace: Namespace): Promise<CollectionInfo> {
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

  private checkView(namespace: Namespace, { view }: CollectionSpec): void {
    if (view !== undefined) checkViewCycle(namespace, view, (other) => this.collection(other));
  }

  private newCollection(namespace: Namespace, spec: CollectionSpec): CollectionInfo {
    return { ...namespace, ...spec, id: this.owner.catalog.nextId, uuid: newUuid() };
  }

  private inTurn<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.catalogTurn.then(change);
    this.catalogTurn = turn.catch(() => {});
    return turn;
  }
}

/** Updates and deletes where there is no collection: they are looked through for mistakes all the same. */
function writeNothing(
  statements: readonly WriteStatement[],
  { ordered, context }: WriteOptions,
): readonly StatementResult[] {
  const results: StatementResult[] = [];
  for (const statement of statements) {
    const error = mistakeIn(statement, context);
    results.push({ matched: 0, modified: 0, ...(error === undefined ? {} : { error }) });
    if (ordered && error !== undefined) break;
  }
  return results;
}

function mistakeIn(statement: WriteStatement, context: CommandContext): CommandError | undefined {
  try {
    new WritePlan(specOf(statement), context);
    return undefined;
  } catch (error) {
    if (error instanceof CommandError) return error;
    throw error;
  }
}

/** Frees what a query holds when its rows end, however they do. */
async function* closing(rows: Rows, memory: QueryMemory): Rows {
  try {
    yield* rows;
  } finally {
    memory.close();
  }
}

/** A random UUID (version 4). */
function newUuid(): Binary {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return new Binary(bytes, UUID_SUBTYPE);
}
