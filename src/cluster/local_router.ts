/** The router of a single node: the catalog is at hand, and every collection lives in the one VNode of this isolate. */
import { BuiltDocument, type Document, type RawDocument, type Value } from "../bson/mod.ts";
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
  type UpdateResult,
  WritePlan,
} from "../query/mod.ts";
import { CatalogChanges, type CatalogOwner } from "./catalog_changes.ts";
import { cappedLimits, checkCapped, type CollectionTail } from "./capped.ts";
import { type CollectionInfo, type Namespace, namespaceText } from "./catalog.ts";
import type { ChangeFeed, ChangeFeedOptions } from "./change_stream/change_feed.ts";
import type { ClusterTime } from "./cluster_clock.ts";
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
import { beginReplacement, encoded } from "./replacement.ts";
import type { BuildProgress, SessionHistory } from "../storage/mod.ts";
import type { TransactionName } from "./retryable_write.ts";
import { Transaction } from "./transaction.ts";
import { timeseriesOfDocument, timeseriesSpecOf } from "./timeseries_spec.ts";
import { hasUniqueKey } from "./indexes.ts";
import { refuseView, resolveView, writeOnView } from "./views.ts";
import type { VNode } from "./vnode.ts";
import type { StatementResult, WriteOptions, WriteStatement } from "./write_statement.ts";

/** What the router asks of its node. */
export interface RoutedNode extends CatalogOwner {
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
  private readonly changes: CatalogChanges;
  private lifetimeMs = TRANSACTION_LIFETIME_SECONDS * 1000;

  constructor(private readonly owner: RoutedNode, private readonly vnode: VNode) {
    this.changes = new CatalogChanges(owner, vnode);
  }

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

  createCollection(namespace: Namespace, spec: CollectionSpec, transaction?: Transaction): Promise<void> {
    return this.changes.createCollection(namespace, spec, transaction);
  }

  modifyCollection(
    namespace: Namespace,
    specOf: (info: CollectionInfo) => CollectionSpec,
  ): Promise<void> {
    return this.changes.modifyCollection(namespace, specOf);
  }

  createIndexes(
    namespace: Namespace,
    specsOf: (info: CollectionInfo) => readonly Document[],
    checkpoint: (progress: BuildProgress) => Promise<void>,
    transaction?: Transaction,
  ): Promise<void> {
    return this.changes.createIndexes(namespace, specsOf, checkpoint, transaction);
  }

  changeIndexes(
    namespace: Namespace,
    changed: (info: CollectionInfo) => readonly Document[],
  ): Promise<void> {
    return this.changes.changeIndexes(namespace, changed);
  }

  convertToCapped(namespace: Namespace, optionsOf: (info: CollectionInfo) => Document): Promise<void> {
    return this.changes.convertToCapped(namespace, optionsOf);
  }

  renameCollection(source: Namespace, target: Namespace, dropTarget: boolean): Promise<void> {
    return this.changes.renameCollection(source, target, dropTarget);
  }

  dropCollection(namespace: Namespace): Promise<boolean> {
    return this.changes.dropCollection(namespace);
  }

  dropDatabase(db: string): Promise<boolean> {
    return this.changes.dropDatabase(db);
  }

  duplicates(namespace: Namespace, index: string): readonly (readonly Value[])[] {
    const info = this.collection(namespace);
    return info === undefined ? [] : this.vnode.duplicates(info, index);
  }

  tail(namespace: Namespace): CollectionTail | undefined {
    const info = this.collection(namespace);
    if (info === undefined) return undefined;
    checkCapped(info);
    return this.vnode.tail(info);
  }

  async insert(
    namespace: Namespace,
    documents: readonly RawDocument[],
    ordered: boolean,
    options: InsertOptions = {},
  ): Promise<InsertResult> {
    const { transaction } = options;
    if (transaction !== undefined) {
      const info = this.changes.collectionToWriteIn(transaction, namespace);
      return await this.vnode.transactions.insert(transaction, info, documents, ordered, options);
    }
    return await this.vnode.insert(
      await this.changes.collectionToWrite(namespace),
      documents,
      ordered,
      options,
    );
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
        ? this.changes.collectionToWriteIn(transaction, namespace)
        : this.changes.collectionIn(namespace, transaction);
      refuseView(info);
      if (info === undefined) return writeNothing(statements, options);
      return await this.vnode.transactions.write(transaction, info, statements, options);
    }
    const existing = this.collection(namespace);
    if (existing?.view !== undefined) return writeOnView(existing, statements, options);
    const info = upserts ? await this.changes.collectionToWrite(namespace) : existing;
    if (info === undefined) return writeNothing(statements, options);
    return await this.vnode.write(info, statements, options);
  }

  findById(
    namespace: Namespace,
    id: Value,
    context: Pick<CommandContext, "snapshot">,
  ): { readonly document: RawDocument | undefined } | undefined {
    const transaction = Transaction.of(context);
    const info = this.changes.collectionIn(namespace, transaction);
    if (info === undefined) return { document: undefined };
    if (info.view !== undefined || info.timeseries !== undefined || info.options.has("collation")) {
      return undefined;
    }
    return { document: this.vnode.findById(info, id, transaction) };
  }

  query(namespace: Namespace, pipeline: Pipeline, context: CommandContext): Rows {
    const { source, stages } = this.open(namespace, Transaction.of(context));
    return this.queryRows(namespace.db, source, onView(pipeline, stages, context), context);
  }

  queryRows(db: string, source: Source, pipeline: Pipeline, context: CommandContext): Rows {
    const inside = this.inDatabase(db, { ...context, ...collationOf(pipeline) }, this.memoryFor(context));
    return execute(pipeline, source, inside);
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
        hasUniqueKey: (name, fields, collation) => hasUniqueKey(this.collection(name), fields, collation),
        replace: (name, timeseries) => this.replace(name, timeseries, context),
        insert: async (name, documents) => {
          return (await this.insert(name, documents.map(encoded), false, options)).errors;
        },
        update: (name, requests) => this.update(name, requests, context),
      },
    };
  }

  private async update(
    name: CollectionName,
    requests: readonly UpdateRequest[],
    context: CommandContext,
  ): Promise<readonly UpdateResult[]> {
    const statements = requests.map((request): WriteStatement => ({ kind: "update", ...request }));
    const results = await this.write(name, statements, { ordered: false, context });
    return results.map(({ matched, upsertedId, error }) => {
      return { matched: matched > 0, upserted: upsertedId !== undefined, error };
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
      modify: (info) => this.changes.inTurn(() => this.owner.modifyCollection(info)),
      drop: (info) => this.changes.inTurn(() => this.owner.dropCollection(info.id)),
      insert: (info, documents) => this.vnode.insert(info, documents, true, options),
    });
  }

  private open(name: CollectionName, transaction?: Transaction): OpenCollection {
    const { namespace, stages } = resolveView(name, (other) => this.changes.collectionIn(other, transaction));
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
    const info = this.changes.collectionIn(namespace, transaction);
    return info === undefined ? EMPTY_SOURCE : this.vnode.source(info, transaction);
  }

  beginTransaction(name: TransactionName): Transaction {
    return this.vnode.transactions.begin(name);
  }

  transactionLifetimeMs(change = this.lifetimeMs): number {
    return this.lifetimeMs = change;
  }

  commitTransaction(transaction: Transaction): Promise<void> {
    return this.changes.commitTransaction(transaction);
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
