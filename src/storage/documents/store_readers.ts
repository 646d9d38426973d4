/**
 * What reads which connection. The writing one sees what the open transaction did, the reading one what is committed. What
 * no open transaction has changed is the same for both, and then the writing one is asked: SQLite's cache of a connection
 * ends with a commit of another one.
 */
import type { DatabaseSync } from "node:sqlite";
import { CommandError } from "../../base/mod.ts";
import type { BatchReaders, RowTable } from "./collection_scan.ts";
import type { TableReader } from "./collection_table.ts";
import { ID_INDEX_NAME } from "./id_index.ts";
import type { IndexReader } from "./index_reader.ts";
import type { IndexTables } from "./index_tables.ts";
import type { ChangedRows, OpenTransaction } from "./open_transaction.ts";
import { TableReaders } from "./table_readers.ts";
import type { StoredRow } from "./stored_row.ts";

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
  readonly newest = (id: number): Readers => ({
    table: () => {
      const changed = this.changedRows(id);
      if (changed === undefined) return this.inside(id);
      const committed = this.committed(id);
      return committed && new CommittedTable(committed, this.inside(id), changed);
    },
    index: (name) =>
      this.index(this.changedRows(id) === undefined ? this.inside(id) : this.committed(id), id, name),
  });

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

  /** The rows of a collection that the open transaction has changed; undefined for none. */
  private changedRows(id: number): ChangedRows | undefined {
    const open = this.store.openTransaction();
    if (open?.created.has(id) === true) return ALL_NEW;
    return open?.changed.get(id);
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

const ALL_NEW: ChangedRows = { seqs: new Set(), hasDeleted: true };

/** What is committed of a collection that the open transaction has changed: a row that it has not is found on its connection. */
class CommittedTable implements RowTable {
  constructor(
    private readonly committed: TableReader,
    private readonly inside: TableReader,
    private readonly changed: ChangedRows,
  ) {}

  find(key: Uint8Array): StoredRow | undefined {
    const row = this.inside.find(key);
    const { seqs, hasDeleted } = this.changed;
    const isSame = row === undefined ? !hasDeleted : !seqs.has(row.seq);
    return isSame ? row : this.committed.find(key);
  }

  batchAfter(seq: number): readonly StoredRow[] {
    return this.committed.batchAfter(seq);
  }

  batchBefore(seq: number): readonly StoredRow[] {
    return this.committed.batchBefore(seq);
  }

  hasSeq(seq: number): boolean {
    return this.committed.hasSeq(seq);
  }
}
