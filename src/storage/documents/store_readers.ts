/**
 * What reads which connection. The writing one sees what the open transaction did, the reading one what is committed. Where
 * none is open both see the same, and then the writing one is asked: SQLite's cache of a connection ends with a commit of
 * another one.
 */
import type { DatabaseSync } from "node:sqlite";
import { CommandError } from "../../base/mod.ts";
import type { BatchReaders } from "./collection_scan.ts";
import type { TableReader } from "./collection_table.ts";
import { ID_INDEX_NAME } from "./id_index.ts";
import type { IndexReader } from "./index_reader.ts";
import type { IndexTables } from "./index_tables.ts";
import type { OpenTransaction } from "./open_transaction.ts";
import { TableReaders } from "./table_readers.ts";

/** What of the store the readers ask. */
export interface ReadStore {
  hasCollection(id: number): boolean;
  indexesOf(id: number): IndexTables | undefined;
  /** Whether the keys of the index on _id say all of the ids. */
  hasPlainIds(id: number): boolean;
  openTransaction(): OpenTransaction | undefined;
}

type Readers = BatchReaders<IndexReader>;

export class StoreReaders {
  private readonly committedOnes: TableReaders;
  private readonly insideOnes: TableReaders;

  constructor(writing: DatabaseSync, reading: DatabaseSync, private readonly store: ReadStore) {
    this.committedOnes = new TableReaders(reading);
    this.insideOnes = new TableReaders(writing);
  }

  /** What is committed, whatever is done while it is read. Undefined for what the open transaction made. */
  committed(id: number): TableReader | undefined {
    this.checkNotDropped(id);
    // Nobody else sees it yet.
    if (this.store.openTransaction()?.created.has(id)) return undefined;
    return this.committedOnes.of(id);
  }

  /** What is committed, an index read at one go. */
  readonly newest = (id: number): Readers =>
    this.readersOf(
      id,
      () => this.store.openTransaction() === undefined ? this.inside(id) : this.committed(id),
    );

  /** What is committed, whatever is done while an index is read. */
  readonly lasting = (id: number): Readers => this.readersOf(id, () => this.committed(id));

  /** What the open transaction sees. */
  readonly asWritten = (id: number): Readers => this.readersOf(id, () => this.inside(id));

  /** As the open transaction sees it. */
  inside(id: number): TableReader {
    this.checkNotDropped(id);
    return this.insideOnes.of(id);
  }

  /** @throws CommandError QueryPlanKilled */
  checkNotDropped(id: number): void {
    if (!this.store.hasCollection(id)) throw new CommandError("QueryPlanKilled", "collection dropped");
  }

  /** Forgets a collection. */
  drop(id: number): void {
    this.committedOnes.drop(id);
    this.insideOnes.drop(id);
  }

  clear(): void {
    this.committedOnes.clear();
    this.insideOnes.clear();
  }

  private readersOf(id: number, table: () => TableReader | undefined): Readers {
    return { table, index: (name) => this.index(table(), id, name) };
  }

  private index(reader: TableReader | undefined, id: number, name: string): IndexReader | undefined {
    if (name === ID_INDEX_NAME) return reader?.ids(() => this.store.hasPlainIds(id));
    const index = this.store.indexesOf(id)?.find(name);
    if (index === undefined) throw new CommandError("QueryPlanKilled", `index '${name}' dropped`);
    return reader?.index(index.number);
  }
}
