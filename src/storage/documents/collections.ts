/** The collections of a store: how much each holds, its indexes, and what writes to its table. */
import type { DatabaseSync } from "node:sqlite";
import { assert } from "../../base/mod.ts";
import { TableWriter } from "./collection_table.ts";
import type { CompileFilter } from "./index_definition.ts";
import { type IndexState, IndexTables } from "./index_tables.ts";
import { loadTotals, NO_DOCUMENTS, type Totals } from "./totals.ts";

export class Collections {
  private readonly known: Map<number, Totals>;
  private readonly writers = new Map<number, TableWriter>();
  /** Of the collections that have, or had, any. */
  private readonly indexes = new Map<number, IndexTables>();

  /** @param writing the connection on which all is written */
  constructor(private readonly writing: DatabaseSync, private readonly compileFilter: CompileFilter) {
    this.known = loadTotals(writing);
    for (const row of writing.prepare("SELECT DISTINCT collection AS id FROM indexes").all()) {
      this.indexTables(Number(row["id"]));
    }
  }

  /** Ascending. */
  ids(): number[] {
    return [...this.known.keys()].sort((a, b) => a - b);
  }

  has(id: number): boolean {
    return this.known.has(id);
  }

  /** One that has its table now, and no documents. */
  add(id: number): void {
    this.known.set(id, NO_DOCUMENTS);
  }

  /** @returns whether it was there */
  remove(id: number): boolean {
    this.writers.delete(id);
    this.indexes.delete(id);
    return this.known.delete(id);
  }

  /** With what the open transaction did. */
  totals(id: number): Totals {
    const totals = this.known.get(id);
    assert(totals !== undefined, `collection ${id} is here`);
    return totals;
  }

  setTotals(id: number, totals: Totals): void {
    this.known.set(id, totals);
  }

  writer(id: number): TableWriter {
    let writer = this.writers.get(id);
    if (writer === undefined) this.writers.set(id, writer = new TableWriter(this.writing, id));
    return writer;
  }

  /** The tables of a collection's indexes; undefined where it never had any but that on _id. */
  indexesOf(id: number): IndexTables | undefined {
    return this.indexes.get(id);
  }

  /** As `indexesOf`, made if need be. */
  indexTables(id: number): IndexTables {
    let tables = this.indexes.get(id);
    if (tables === undefined) {
      this.indexes.set(id, tables = new IndexTables(this.writing, id, this.compileFilter));
    }
    return tables;
  }

  /** The indexes of a collection, without that on _id. */
  indexStates(id: number): readonly IndexState[] {
    return this.indexes.get(id)?.states() ?? [];
  }

  /** A transaction on the writing connection was committed. */
  committed(): void {
    for (const tables of this.indexes.values()) tables.committed();
  }

  rolledBack(): void {
    for (const tables of this.indexes.values()) tables.rolledBack();
  }

  close(): void {
    this.writers.clear();
  }
}
