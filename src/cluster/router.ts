/**
 * What commands ask of the data, whatever node holds it. On one node and in a cluster alike, commands know only this.
 */
import type { Document, RawDocument, Value } from "../bson/mod.ts";
import type { CommandError } from "../base/mod.ts";
import type { CommandContext, Pipeline, Rows, Source } from "../query/mod.ts";
import type { BuildProgress, ColumnSize, IndexVerification, SessionHistory } from "../storage/mod.ts";
import type { CollectionTail } from "./capped.ts";
import type { TransactionName } from "./retryable_write.ts";
import type { Transaction } from "./transaction.ts";
import type { RetryableWrite, StatementResult, WriteOptions, WriteStatement } from "./write_statement.ts";
import type { ChangeFeed, ChangeFeedOptions } from "./change_stream/change_feed.ts";
import type { ClusterTime } from "./cluster_clock.ts";
import type { CollectionInfo, Namespace, TimeseriesOptions, ViewDefinition } from "./catalog.ts";

export interface Router {
  readonly clusterTime: ClusterTime;

  /** Names of the databases that have a collection, sorted. */
  databaseNames(): readonly string[];
  /** The collections of a database, sorted by name. */
  collections(db: string): readonly CollectionInfo[];
  collection(namespace: Namespace): CollectionInfo | undefined;

  /**
   * Makes a collection or a view.
   *
   * @throws CommandError NamespaceExists (48), GraphContainsCycle (5) for a view that would stand on itself
   */
  createCollection(namespace: Namespace, spec: CollectionSpec, transaction?: Transaction): Promise<void>;
  /**
   * Gives a collection other options: those that `specOf` makes of it as it is.
   *
   * @throws CommandError NamespaceNotFound (26), and what `specOf` throws
   */
  modifyCollection(namespace: Namespace, specOf: (info: CollectionInfo) => CollectionSpec): Promise<void>;
  /**
   * Makes indexes of a collection: those that `specsOf` names, as the catalog is to hold them. Durable, and holding every
   * document, when it resolves; then, or not at all.
   *
   * @param checkpoint is told how far it is; throws when the operation was killed, else lets others run
   * @param transaction that makes the collection, where one does
   * @throws CommandError NamespaceNotFound (26), DuplicateKey (11000), and what `specsOf` throws
   */
  createIndexes(
    namespace: Namespace,
    specsOf: (info: CollectionInfo) => readonly Document[],
    checkpoint: (progress: BuildProgress) => Promise<void>,
    transaction?: Transaction,
  ): Promise<void>;
  /** The ids of documents that have a key of an index of a regular collection together, key by key, some of them. */
  duplicates(namespace: Namespace, index: string): readonly (readonly Value[])[];

  /**
   * Leaves a collection the indexes that `indexesOf` gives, which are some of those it has, perhaps with other options.
   *
   * @throws CommandError NamespaceNotFound (26), and what `indexesOf` throws
   */
  changeIndexes(
    namespace: Namespace,
    indexesOf: (info: CollectionInfo) => readonly Document[],
  ): Promise<void>;
  /**
   * Gives a collection another name, in another database or the same one, at once.
   *
   * @param dropTarget whether one that has the name goes
   * @throws CommandError NamespaceNotFound (26), NamespaceExists (48), CommandNotSupportedOnView (166)
   */
  renameCollection(source: Namespace, target: Namespace, dropTarget: boolean): Promise<void>;
  /** @returns whether there was one */
  dropCollection(namespace: Namespace): Promise<boolean>;
  /** @returns whether there was one */
  dropDatabase(db: string): Promise<boolean>;

  /**
   * Stores documents, durable when it resolves; makes a plain collection where there is none. Documents are validated
   * bytes that must not change afterwards. Ordered: stops at the first error.
   *
   * @param bypassValidation whether the collection's validator is not asked
   */
  insert(
    namespace: Namespace,
    documents: readonly RawDocument[],
    ordered: boolean,
    options?: InsertOptions,
  ): Promise<InsertResult>;

  /**
   * Runs updates and deletes in order, durable when it resolves; an upsert makes a plain collection where there is none.
   *
   * @returns a result a statement; ordered, none behind the first with an error
   * @throws CommandError when none could be run
   */
  write(
    namespace: Namespace,
    statements: readonly WriteStatement[],
    options: WriteOptions,
  ): Promise<readonly StatementResult[]>;

  /**
   * Begins a transaction: a snapshot of what is there now, and what will be written in it. Queries and statements run in
   * it that have it for their context's `snapshot`. Time series are read in it, and not written.
   */
  beginTransaction(name: TransactionName): Transaction;
  /** How long a transaction may take, in milliseconds; what is given is for those that begin later. */
  transactionLifetimeMs(change?: number): number;
  /**
   * Commits a transaction, durable and seen as a whole when it resolves. Ends it in any case.
   *
   * @throws CommandError WriteConflict, OutOfDiskSpace and their like; then nothing of it is there
   */
  commitTransaction(transaction: Transaction): Promise<void>;

  /** What is known of the latest retryable write of a session. @param lsid a UUID's 16 bytes */
  historyOf(lsid: Uint8Array): Promise<SessionHistory | undefined>;

  /**
   * The document of a plain collection that has an _id, without a plan.
   *
   * @param id a value that means itself as a condition, and equals no value of another type but a number
   * @returns undefined where it takes a query to find it: in a view, a time series, under a collation
   */
  findById(
    namespace: Namespace,
    id: Value,
    context: Pick<CommandContext, "snapshot">,
  ): { readonly document: RawDocument | undefined } | undefined;
  /** Runs a pipeline over a collection or a view (an empty one where there is none). */
  query(namespace: Namespace, pipeline: Pipeline, context: CommandContext): Rows;
  /** Runs a pipeline over rows that are no collection's, in a database whose collections its stages may read. */
  queryRows(db: string, source: Source, pipeline: Pipeline, context: CommandContext): Rows;
  /**
   * Follows a capped collection from its first document on; undefined where there is none.
   *
   * @throws CommandError BadValue (2) when it is not capped, InvalidPipelineOperator (168) for a view or a time series
   */
  tail(namespace: Namespace): CollectionTail | undefined;
  /**
   * Makes a collection capped, by the options that `optionsOf` gives, without any index but that on _id. Holds no more than
   * it may when it resolves.
   *
   * @throws CommandError NamespaceNotFound (26), CommandNotSupportedOnView (166), and what `optionsOf` throws
   */
  convertToCapped(namespace: Namespace, optionsOf: (info: CollectionInfo) => Document): Promise<void>;
  /** How a pipeline would run, or did: in the shape of MongoDB's reply, without the command's own fields. */
  explain(
    namespace: Namespace,
    pipeline: Pipeline,
    context: CommandContext,
    verbosity: string,
  ): Promise<Document>;

  /**
   * Opens a change stream.
   *
   * @throws CommandError ChangeStreamHistoryLost (286) when the log does not reach back to where it is to begin
   */
  changeFeed(options: ChangeFeedOptions): ChangeFeed;

  /**
   * Resolves when what a time series holds now is flushed and merged; nothing where there is no collection.
   *
   * @throws CommandError OutOfDiskSpace
   */
  compact(namespace: Namespace): Promise<void>;

  stats(namespace: Namespace): CollectionStats;

  /**
   * Reads all of a collection's files again: are they whole, and what takes how much?
   *
   * @param isFull looks at what costs more too
   * @param pause called after some milliseconds of work: throws when killed, else lets others run
   * @throws CommandError NamespaceNotFound (26)
   */
  verify(namespace: Namespace, isFull: boolean, pause: () => Promise<void>): Promise<Verification>;

  /** Writes all that is in memory to its files and makes the log short; durable when it resolves. */
  checkpoint(): Promise<void>;
  /** How often measurements expire, and whether they do; what is given is changed, from the next pass on. */
  retention(change?: Partial<RetentionSettings>): RetentionSettings;
  readonly retentionCounts: RetentionCounts;
}

/** What passes of retention did so far. */
export interface RetentionCounts {
  /** Passes that have ended. */
  readonly passes: number;
  /** Documents that TTL indexes let go. */
  readonly deletedDocuments: number;
}

/** When the measurements of collections with expireAfterSeconds go. */
export interface RetentionSettings {
  /** Time between two passes. */
  readonly intervalMs: number;
  readonly isEnabled: boolean;
}

export interface CollectionSpec {
  readonly timeseries?: TimeseriesOptions;
  readonly view?: ViewDefinition;
  readonly options: Document;
}

export interface InsertOptions {
  /** False where only the documents' lengths are known to be right: they make one piece, and are checked on their way. */
  readonly areChecked?: boolean;
  /** Documents may be what the collection's validator refuses. */
  readonly bypassValidation?: boolean;
  /** The write of a session that the documents belong to. */
  readonly retryable?: RetryableWrite | undefined;
  /** The transaction that they are written in. */
  readonly transaction?: Transaction | undefined;
}

export interface InsertResult {
  /** Documents stored. */
  readonly inserted: number;
  /** What went wrong, by the document's place in the request. */
  readonly errors: readonly { readonly index: number; readonly error: CommandError }[];
}

/** True numbers of one collection. */
export interface CollectionStats {
  /** Documents or measurements. */
  readonly count: number;
  /** Bytes of the documents as BSON, as inserted. */
  readonly dataBytes: number;
  /** Bytes on disk, without the log. */
  readonly storageBytes: number;
  /** Of all indexes. */
  readonly indexBytes: number;
  /** Of each by its name, where they are told apart. */
  readonly indexSizes?: ReadonlyMap<string, number>;
  /** Of regular collections: scans by each index since the node was started. */
  readonly indexUses?: ReadonlyMap<string, number>;
  /** Time series only. */
  readonly timeseries?: {
    readonly series: number;
    readonly segments: number;
    readonly memtableRows: number;
    readonly memtableBytes: number;
    /** The part of `dataBytes` that is in memory only. */
    readonly memtableDataBytes: number;
  };
}

/** What a collection's files hold. */
export interface Verification {
  /** Documents or measurements. */
  readonly records: number;
  /** Of regular collections: those that are no valid BSON. */
  readonly invalidDocuments: number;
  /** What is wrong, one line each; with documents, of regular collections. */
  readonly problems: readonly string[];
  /** Of regular collections: their indexes but that on _id. */
  readonly indexes: readonly IndexVerification[];
  /** Time series only: what is in segments, the largest column first. */
  readonly columns: readonly ColumnSize[];
}
