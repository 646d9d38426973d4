/**
 * A router whose collections are arrays in memory: the twin of the real one for tests of commands and of the server. Queries
 * run through the real query room.
 */
import { CommandError } from "../../src/base/mod.ts";
import {
  Binary,
  BuiltDocument,
  type Document,
  encodeDocument,
  equalValues,
  keyOf,
  RawDocument,
  UtcDate,
  validateDocuments,
  type ValueKey,
} from "../../src/bson/mod.ts";
import { SystemClock } from "../../src/io/mod.ts";
import {
  type ChangeFeed,
  ClusterClock,
  type CollectionInfo,
  type CollectionSpec,
  type CollectionStats,
  type InsertOptions,
  type InsertResult,
  type Namespace,
  namespaceText,
  type RetentionSettings,
  type Router,
  type SessionHistory,
  type StatementResult,
  type Verification,
  type WriteOptions,
  type WriteStatement,
} from "../../src/cluster/mod.ts";
import {
  type CommandContext,
  execute,
  explain,
  NO_COLLECTIONS,
  type Pipeline,
  type QueryContext,
  type Rows,
  type Source,
  WritePlan,
} from "../../src/query/mod.ts";

import { RecentStatements } from "../../src/cluster/recent_statements.ts";
import { DoneInserts, doneStatement } from "../../src/cluster/retryable_write.ts";

interface Stored {
  info: CollectionInfo;
  readonly documents: RawDocument[];
  readonly ids: Set<ValueKey>;
}

export class ArrayRouter implements Router {
  private readonly stored = new Map<string, Stored>();
  readonly clusterTime = new ClusterClock(new SystemClock());
  private readonly statements = new RecentStatements();
  private nextId = 1;
  private retentionSettings: RetentionSettings = { intervalMs: 60_000, isEnabled: true };
  /** Rows that a scan gives at once. */
  scanBatchRows = 100;
  /** Scans that were opened and not ended. */
  openScans = 0;
  /** Awaited before each insert and each batch of a scan, so that tests can hold them up. */
  gate: () => Promise<void> = () => Promise.resolve();

  databaseNames(): readonly string[] {
    return [...new Set([...this.stored.values()].map(({ info }) => info.db))].sort();
  }

  collections(db: string): readonly CollectionInfo[] {
    return [...this.stored.values()].map(({ info }) => info).filter((info) => info.db === db)
      .sort((a, b) => a.collection < b.collection ? -1 : 1);
  }

  collection(namespace: Namespace): CollectionInfo | undefined {
    return this.stored.get(namespaceText(namespace))?.info;
  }

  createCollection(namespace: Namespace, spec: CollectionSpec): Promise<void> {
    const existing = this.collection(namespace);
    if (existing === undefined) {
      this.add(namespace, spec);
      return Promise.resolve();
    }
    if (equalValues(existing.options, spec.options)) return Promise.resolve();
    return Promise.reject(
      new CommandError("NamespaceExists", `Collection ${namespaceText(namespace)} already exists.`),
    );
  }

  modifyCollection(
    namespace: Namespace,
    specOf: (info: CollectionInfo) => CollectionSpec,
  ): Promise<void> {
    const stored = this.stored.get(namespaceText(namespace));
    if (stored === undefined) {
      return Promise.reject(new CommandError("NamespaceNotFound", "ns does not exist"));
    }
    const { id, uuid } = stored.info;
    stored.info = { ...namespace, id, uuid, ...specOf(stored.info) };
    return Promise.resolve();
  }

  createIndexes(
    namespace: Namespace,
    specsOf: (info: CollectionInfo) => readonly Document[],
  ): Promise<void> {
    return this.changeIndexes(namespace, (info) => [...info.indexes ?? [], ...specsOf(info)]);
  }

  duplicates(): [] {
    return [];
  }

  changeIndexes(
    namespace: Namespace,
    indexesOf: (info: CollectionInfo) => readonly Document[],
  ): Promise<void> {
    const stored = this.stored.get(namespaceText(namespace));
    if (stored === undefined) {
      return Promise.reject(
        new CommandError("NamespaceNotFound", `ns not found ${namespaceText(namespace)}`),
      );
    }
    stored.info = { ...stored.info, indexes: indexesOf(stored.info) };
    return Promise.resolve();
  }

  tail(): undefined {
    return undefined;
  }

  convertToCapped(): Promise<void> {
    return Promise.reject(new CommandError("NotImplemented", "arrays are not capped"));
  }

  renameCollection(source: Namespace, target: Namespace, dropTarget: boolean): Promise<void> {
    const stored = this.stored.get(namespaceText(source));
    if (stored === undefined) {
      return Promise.reject(
        new CommandError("NamespaceNotFound", `Source collection ${namespaceText(source)} does not exist`),
      );
    }
    if (!dropTarget && this.stored.has(namespaceText(target))) {
      return Promise.reject(new CommandError("NamespaceExists", "target namespace exists"));
    }
    this.stored.delete(namespaceText(source));
    this.stored.set(namespaceText(target), { ...stored, info: { ...stored.info, ...target } });
    return Promise.resolve();
  }

  dropCollection(namespace: Namespace): Promise<boolean> {
    return Promise.resolve(this.stored.delete(namespaceText(namespace)));
  }

  dropDatabase(db: string): Promise<boolean> {
    const doomed = this.collections(db);
    for (const info of doomed) this.stored.delete(namespaceText(info));
    return Promise.resolve(doomed.length > 0);
  }

  transactionLifetimeMs(): number {
    return 60_000;
  }

  beginTransaction(): never {
    throw new CommandError("NotImplemented", "arrays have no transactions");
  }

  commitTransaction(): never {
    return this.beginTransaction();
  }

  historyOf(lsid: Uint8Array): Promise<SessionHistory | undefined> {
    return Promise.resolve(this.statements.of(lsid));
  }

  async insert(
    namespace: Namespace,
    documents: readonly RawDocument[],
    ordered: boolean,
    { retryable, areChecked = true }: InsertOptions = {},
  ): Promise<InsertResult> {
    if (!areChecked) validateDocuments(documents);
    await this.gate();
    const done = retryable && new DoneInserts(retryable, (statements) => this.statements.note([statements]));
    const stored = this.stored.get(namespaceText(namespace)) ??
      this.add(namespace, { options: BuiltDocument.EMPTY });
    const errors: { index: number; error: CommandError }[] = [];
    let inserted = 0;
    for (let index = 0; index < documents.length; index++) {
      const error = store(stored, documents[index]!);
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

  changeFeed(): ChangeFeed {
    throw new CommandError("NotImplemented", "arrays have no log to follow");
  }

  compact(): Promise<void> {
    return Promise.resolve();
  }

  async write(
    namespace: Namespace,
    statements: readonly WriteStatement[],
    { ordered, context, retryable }: WriteOptions,
  ): Promise<readonly StatementResult[]> {
    await this.gate();
    const documents = this.stored.get(namespaceText(namespace))?.documents ?? [];
    const results: StatementResult[] = [];
    for (const [place, statement] of statements.entries()) {
      const result = writeOne(documents, statement, context);
      results.push(result);
      const done = retryable && doneStatement(retryable, place, result);
      if (done !== undefined) this.statements.note([done]);
      if (ordered && result.error !== undefined) break;
    }
    return results;
  }

  /** A query finds it. */
  findById(): undefined {
    return undefined;
  }

  query(namespace: Namespace, pipeline: Pipeline, context: CommandContext): Rows {
    return this.queryRows(namespace.db, this.source(namespace), pipeline, context);
  }

  queryRows(db: string, source: Source, pipeline: Pipeline, context: CommandContext): Rows {
    return execute(pipeline, source, this.inDatabase(db, context));
  }

  explain(
    namespace: Namespace,
    pipeline: Pipeline,
    context: CommandContext,
    verbosity: string,
  ): Promise<Document> {
    const inside = this.inDatabase(namespace.db, context);
    return explain(pipeline, this.source(namespace), inside, verbosity, namespaceText(namespace));
  }

  stats(namespace: Namespace): CollectionStats {
    const documents = this.stored.get(namespaceText(namespace))?.documents ?? [];
    const dataBytes = documents.reduce((sum, document) => sum + document.sizeBytes, 0);
    return { count: documents.length, dataBytes, storageBytes: dataBytes, indexBytes: 0 };
  }

  private inDatabase(db: string, context: CommandContext): QueryContext {
    return {
      ...context,
      collections: { ...NO_COLLECTIONS, db, open: (name) => ({ source: this.source(name), stages: [] }) },
    };
  }

  verify(namespace: Namespace): Promise<Verification> {
    const records = this.stats(namespace).count;
    return Promise.resolve({ records, invalidDocuments: 0, problems: [], indexes: [], columns: [] });
  }

  checkpoint(): Promise<void> {
    return Promise.resolve();
  }

  readonly retentionCounts = { passes: 0, deletedDocuments: 0 };

  retention(change: Partial<RetentionSettings> = {}): RetentionSettings {
    const before = this.retentionSettings;
    this.retentionSettings = { ...before, ...change };
    return before;
  }

  private add(namespace: Namespace, spec: CollectionSpec): Stored {
    const uuid = new Binary(crypto.getRandomValues(new Uint8Array(16)), Binary.SUBTYPE_UUID);
    const info = { ...namespace, ...spec, id: this.nextId++, uuid };
    const stored = { info, documents: [], ids: new Set<ValueKey>() };
    this.stored.set(namespaceText(namespace), stored);
    return stored;
  }

  private source(namespace: Namespace): Source {
    const stored = this.stored.get(namespaceText(namespace));
    if (stored === undefined) return { shape: { kind: "empty" }, scan: () => this.scan([]) };
    return { shape: { kind: "documents" }, scan: () => this.scan(stored.documents) };
  }

  private async *scan(documents: readonly RawDocument[]): Rows {
    this.openScans++;
    try {
      for (let at = 0; at < documents.length; at += this.scanBatchRows) {
        await this.gate();
        yield documents.slice(at, at + this.scanBatchRows);
      }
    } finally {
      this.openScans--;
    }
  }
}

function store(stored: Stored, document: RawDocument): CommandError | undefined {
  const { timeseries } = stored.info;
  if (timeseries === undefined) {
    const id = keyOf(document.get("_id"));
    if (document.has("_id") && stored.ids.has(id)) {
      return new CommandError(
        "DuplicateKey",
        `E11000 duplicate key error collection: ${namespaceText(stored.info)} index: _id_ dup key`,
        { extra: { keyPattern: { _id: 1 } } },
      );
    }
    stored.ids.add(id);
  } else if (!(document.get(timeseries.timeField) instanceof UtcDate)) {
    return new CommandError(
      "BadValue",
      `'${timeseries.timeField}' must be present and contain a valid BSON UTC datetime value`,
    );
  }
  stored.documents.push(document);
  return undefined;
}

/** An update or delete of the documents that match; upserts and sorts are for tests of the real store. */
function writeOne(
  documents: RawDocument[],
  statement: WriteStatement,
  context: CommandContext,
): StatementResult {
  try {
    const update = statement.kind === "update" ? statement : undefined;
    const plan = new WritePlan({ filter: statement.filter, update }, context);
    const matching = documents.filter(plan.matches);
    const targets = statement.multi === true ? matching : matching.slice(0, 1);
    for (const document of targets) {
      const changed = new RawDocument(encodeDocument(plan.updated(document)));
      documents.splice(documents.indexOf(document), 1, ...(update === undefined ? [] : [changed]));
    }
    return { matched: targets.length, modified: targets.length };
  } catch (error) {
    if (error instanceof CommandError) return { matched: 0, modified: 0, error };
    throw error;
  }
}
