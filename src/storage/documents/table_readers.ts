/** The tables of collections as one connection sees them. */
import type { DatabaseSync } from "node:sqlite";
import { TableReader } from "./collection_table.ts";

export class TableReaders {
  private readonly readers = new Map<number, TableReader>();

  constructor(private readonly database: DatabaseSync) {}

  /** The reader of a collection that is there. */
  of(id: number): TableReader {
    let reader = this.readers.get(id);
    if (reader === undefined) this.readers.set(id, reader = new TableReader(this.database, id));
    return reader;
  }

  /** Forgets a collection. */
  drop(id: number): void {
    this.readers.delete(id);
  }

  clear(): void {
    this.readers.clear();
  }
}
