/**
 * One collection in SQLite:
 *
 *     c<ID>     seq INTEGER PRIMARY KEY | key BLOB | doc BLOB      in order of insertion, MongoDB's natural order
 *     c<ID>_id  key → seq, unique                                  in BSON order of _id (bson/index_key.ts)
 *
 * A statement is prepared once per connection and collection; none stays open between calls.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { assert } from "../../base/mod.ts";
import { idKeys, indexKeys, IndexReader } from "./index_reader.ts";
import { dropIndexTables } from "./index_tables.ts";
import { MAX_PACKED_ROWS, PACKED_COLUMNS, type PackedRows, unpackRows } from "./packed_rows.ts";
import { executeTogether, prepareTuples } from "./sqlite.ts";
import type { StoredRow } from "./stored_row.ts";
import type { Totals } from "./totals.ts";

/** Bytes of documents read at once, beyond the first one. */
const BATCH_BYTES = 256 * 1024;

export function createTable(database: DatabaseSync, id: number): void {
  executeTogether(
    database,
    `CREATE TABLE IF NOT EXISTS c${id} (seq INTEGER PRIMARY KEY, key BLOB NOT NULL, doc BLOB NOT NULL)`,
    `CREATE UNIQUE INDEX IF NOT EXISTS c${id}_id ON c${id} (key)`,
    `INSERT INTO collections VALUES (${id}, 0, 0, 1) ON CONFLICT DO NOTHING`,
  );
}

export function dropTable(database: DatabaseSync, id: number): void {
  dropIndexTables(database, id);
  executeTogether(database, `DROP TABLE IF EXISTS c${id}`, `DELETE FROM collections WHERE id = ${id}`);
}

/** The writing side. */
export class TableWriter {
  private readonly insertRow: StatementSync;
  private readonly replaceRow: StatementSync;
  private readonly deleteRow: StatementSync;
  private readonly selectPlace: StatementSync;
  private readonly selectRow: StatementSync;
  private readonly updateTotals: StatementSync;

  constructor(database: DatabaseSync, private readonly id: number) {
    this.insertRow = database.prepare(
      `INSERT INTO c${id} VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING`,
    );
    this.replaceRow = database.prepare(`UPDATE c${id} SET doc = ? WHERE seq = ?`);
    this.deleteRow = database.prepare(`DELETE FROM c${id} WHERE seq = ?`);
    this.selectPlace = database.prepare(`SELECT seq FROM c${id} WHERE key = ?`);
    this.selectRow = prepareTuples(database, `SELECT seq, doc FROM c${id} WHERE key = ?`);
    this.updateTotals = database.prepare(
      "UPDATE collections SET documents = ?, bytes = ?, plain_ids = ? WHERE id = ?",
    );
  }

  /** @returns whether the key was free */
  insert(seq: number, key: Uint8Array, doc: Uint8Array): boolean {
    return Number(this.insertRow.run(seq, key, doc).changes) === 1;
  }

  /** Puts a document in place of the one that is there and has the same key. */
  replace(seq: number, doc: Uint8Array): void {
    assert(Number(this.replaceRow.run(doc, seq).changes) === 1, "a document to replace is there");
  }

  /** Takes away a document that is there. */
  delete(seq: number): void {
    assert(Number(this.deleteRow.run(seq).changes) === 1, "a document to delete is there");
  }

  /** Whether a document has the key. */
  has(key: Uint8Array): boolean {
    return this.selectPlace.get(key) !== undefined;
  }

  find(key: Uint8Array): StoredRow | undefined {
    return firstRow(this.selectRow, key);
  }

  saveTotals({ count, dataBytes, plainIds }: Totals): void {
    this.updateTotals.run(count, dataBytes, Number(plainIds), this.id);
  }
}

/** The reading side. */
export class TableReader {
  private readonly forward: StatementSync;
  private readonly backward: StatementSync;
  private readonly placeForward: StatementSync;
  private readonly placeBackward: StatementSync;
  private readonly packed: StatementSync;
  private readonly byKey: StatementSync;
  private readonly bySeq: StatementSync;
  private readonly indexes = new Map<number, IndexReader>();
  private byId: IndexReader | undefined;

  constructor(private readonly database: DatabaseSync, private readonly id: number) {
    this.forward = prepareTuples(database, `SELECT seq, doc FROM c${id} WHERE seq > ? ORDER BY seq`);
    this.backward = prepareTuples(database, `SELECT seq, doc FROM c${id} WHERE seq < ? ORDER BY seq DESC`);
    const offset = `LIMIT 1 OFFSET ${MAX_PACKED_ROWS - 1}`;
    this.placeForward = prepareTuples(
      database,
      `SELECT seq FROM c${id} WHERE seq > ? ORDER BY seq ${offset}`,
    );
    this.placeBackward = prepareTuples(
      database,
      `SELECT seq FROM c${id} WHERE seq < ? ORDER BY seq DESC ${offset}`,
    );
    this.packed = prepareTuples(
      database,
      `SELECT ${PACKED_COLUMNS} FROM c${id} c WHERE seq BETWEEN ? AND ?`,
    );
    this.byKey = prepareTuples(database, `SELECT seq, doc FROM c${id} WHERE key = ?`);
    this.bySeq = database.prepare(`SELECT 1 FROM c${id} WHERE seq = ?`);
  }

  /** The row that stands first; undefined in an empty collection. */
  first(): StoredRow | undefined {
    for (const row of tuples(this.forward.iterate(0))) return rowOf(row);
    return undefined;
  }

  /** Whether a row stands at a place. */
  hasSeq(seq: number): boolean {
    return this.bySeq.get(seq) !== undefined;
  }

  /** The next rows behind a place, in order; none at the end. They share memory. */
  batchAfter(seq: number): StoredRow[] {
    return this.packedRows(seq + 1, firstValue(this.placeForward, seq) ?? Number.MAX_SAFE_INTEGER) ??
      batch(this.forward, seq);
  }

  /** The next rows before a place, the last first; none at the start. They share memory. */
  batchBefore(seq: number): StoredRow[] {
    return this.packedRows(firstValue(this.placeBackward, seq) ?? 0, seq - 1)?.reverse() ??
      batch(this.backward, seq);
  }

  /** Undefined where a document is too large. */
  private packedRows(from: number, to: number): StoredRow[] | undefined {
    return unpackRows(this.packed.get(from, to) as unknown as PackedRows);
  }

  /** By its number. */
  index(number: number): IndexReader {
    let reader = this.indexes.get(number);
    if (reader === undefined) {
      this.indexes.set(number, reader = new IndexReader(this.database, this.id, indexKeys(this.id, number)));
    }
    return reader;
  }

  /** By the index on _id. @param hasTypes see `IndexReader` */
  ids(hasTypes: () => boolean): IndexReader {
    return this.byId ??= new IndexReader(this.database, this.id, idKeys(this.id), hasTypes);
  }

  find(key: Uint8Array): StoredRow | undefined {
    return firstRow(this.byKey, key);
  }
}

function batch(statement: StatementSync, from: number): StoredRow[] {
  const rows: StoredRow[] = [];
  let bytes = 0;
  for (const row of tuples(statement.iterate(from))) {
    const stored = rowOf(row);
    rows.push(stored);
    bytes += stored.doc.length;
    if (rows.length === MAX_PACKED_ROWS || bytes >= BATCH_BYTES) break;
  }
  return rows;
}

type RowTuple = readonly [seq: number, doc: Uint8Array];

function tuples(rows: Iterable<unknown>): Iterable<RowTuple> {
  return rows as Iterable<RowTuple>;
}

function firstValue(statement: StatementSync, parameter: number): number | undefined {
  const row = statement.get(parameter) as unknown as readonly [number] | undefined;
  return row?.[0];
}

function firstRow(statement: StatementSync, key: Uint8Array): StoredRow | undefined {
  const row = statement.get(key) as unknown as RowTuple | undefined;
  return row === undefined ? undefined : rowOf(row);
}

function rowOf([seq, doc]: RowTuple): StoredRow {
  return { seq, doc };
}
