/**
 * The indexes of one collection in SQLite:
 *
 *     indexes        collection | name | number | spec BLOB (BSON) | arrays TEXT (JSON, see `DocumentKeys.arrays`)
 *     i<ID>_<NUMBER> key BLOB | seq INTEGER | types BLOB or null, see bson/key_types.ts     one row a key of a document;
 *                    key and seq are the primary key, WITHOUT ROWID
 *
 * They change in the transaction that changes the documents, so that neither is ever seen, or kept, without the other.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { compareBytes, encodeDocument, RawDocument } from "../../bson/mod.ts";
import {
  type CompileFilter,
  type DocumentKeys,
  type IndexDefinition,
  indexDefinition,
  type IndexKey,
  keyDocument,
  keysOf,
  mayChangeKeys,
} from "./index_definition.ts";
import type { TakenKey } from "./duplicate_key.ts";
import type { FieldChange } from "./field_change.ts";
import { IndexVerifier } from "./verify_indexes.ts";
import { execute, executeTogether } from "./sqlite.ts";
import type { StoredRow } from "./stored_row.ts";

/** What a query may know of an index. */
export interface IndexState {
  readonly definition: IndexDefinition;
  /** For each field, the paths at which a document has, or had, an array; all empty where no document has two keys. */
  readonly arrays: readonly (readonly string[])[];
}

export class IndexTables {
  private tables: IndexTable[] = [];
  /** Whether the open transaction made or dropped any. */
  private isChanged = false;

  /** @param id the collection's */
  constructor(
    private readonly database: DatabaseSync,
    private readonly id: number,
    private readonly compileFilter: CompileFilter,
  ) {
    this.load();
  }

  get isEmpty(): boolean {
    return this.tables.length === 0;
  }

  /** In the order in which they were made. */
  states(): readonly IndexState[] {
    return this.tables;
  }

  find(name: string): IndexTable | undefined {
    return this.tables.find((table) => table.definition.name === name);
  }

  /** Bytes of each, by name. @param pageBytes those of a table */
  sizes(pageBytes: (table: string) => number): readonly (readonly [string, number])[] {
    return this.tables.map(({ definition, number }) => [definition.name, pageBytes(`i${this.id}_${number}`)]);
  }

  /** What compares some of them with the documents. @param isThere whether the collection is */
  verifiers(
    reading: DatabaseSync,
    names: readonly string[],
    isThere: () => boolean,
  ): readonly IndexVerifier[] {
    return this.tables.filter(({ definition }) => names.includes(definition.name)).map((table) =>
      new IndexVerifier(reading, this.id, table, () => isThere() && this.tables.includes(table))
    );
  }

  committed(): void {
    this.isChanged = false;
    for (const table of this.tables) table.isChanged = false;
  }

  /** Forgets what the open transaction did. */
  rolledBack(): void {
    if (this.isChanged || this.tables.some((table) => table.isChanged)) this.load();
  }

  private load(): void {
    this.isChanged = false;
    const rows = this.database.prepare(
      "SELECT name, number, spec, arrays FROM indexes WHERE collection = ? ORDER BY number",
    ).all(this.id);
    this.tables = rows.map((row) => {
      const definition = indexDefinition(new RawDocument(row["spec"] as Uint8Array), this.compileFilter);
      const arrays = JSON.parse(String(row["arrays"]));
      return new IndexTable(this.database, this.id, Number(row["number"]), definition, arrays);
    });
  }

  /** Makes an index without keys. */
  create(spec: RawDocument): IndexTable {
    const definition = indexDefinition(spec, this.compileFilter);
    const last = this.tables.reduce((highest, table) => Math.max(highest, table.number), 0);
    const number = last + 1;
    const arrays = definition.fields.map(() => []);
    executeTogether(
      this.database,
      `CREATE TABLE i${this.id}_${number} (key BLOB NOT NULL, seq INTEGER NOT NULL, types BLOB, ` +
        "PRIMARY KEY (key, seq)) WITHOUT ROWID",
    );
    this.database.prepare("INSERT INTO indexes VALUES (?, ?, ?, ?, ?)").run(
      this.id,
      definition.name,
      number,
      encodeDocument(spec),
      JSON.stringify(arrays),
    );
    const table = new IndexTable(this.database, this.id, number, definition, arrays);
    this.tables.push(table);
    this.isChanged = true;
    return table;
  }

  drop(name: string): void {
    const table = this.find(name);
    if (table === undefined) return;
    this.isChanged = true;
    this.tables = this.tables.filter((other) => other !== table);
    this.database.prepare("DELETE FROM indexes WHERE collection = ? AND name = ?").run(this.id, name);
    execute(this.database, `DROP TABLE i${this.id}_${table.number}`);
  }

  /** Lets an index be used otherwise, with the keys that it has. */
  redefine(spec: RawDocument): void {
    const definition = indexDefinition(spec, this.compileFilter);
    this.tables = this.tables.map((table) => {
      if (table.definition.name !== definition.name) return table;
      return new IndexTable(this.database, this.id, table.number, definition, table.arrays);
    });
    this.database.prepare("UPDATE indexes SET spec = ? WHERE collection = ? AND name = ?")
      .run(encodeDocument(spec), this.id, definition.name);
  }

  dropAll(): void {
    for (const { definition } of this.tables) this.drop(definition.name);
  }

  /**
   * Adds the keys of a document.
   *
   * @returns the first of them that a unique index has for another document; then nothing has changed
   * @throws CommandError when an index cannot hold the document; then nothing has changed
   */
  add(document: RawDocument, seq: number): TakenKey | undefined {
    const keys = this.tables.map(({ definition }) => keysOf(definition, document));
    for (const [i, table] of this.tables.entries()) {
      const taken = table.taken(keys[i]!);
      if (taken !== undefined) return taken;
    }
    this.tables.forEach((table, i) => table.add(keys[i]!, seq));
    return undefined;
  }

  /**
   * Puts the keys of a document in the place of those of another, where they differ. As `add`.
   *
   * @param changes what differs between the two; undefined where that is not known
   */
  replace(
    old: RawDocument,
    document: RawDocument,
    seq: number,
    changes: readonly FieldChange[] | undefined,
  ): TakenKey | undefined {
    const tables = this.tables.filter(({ definition }) => mayChangeKeys(definition, changes));
    const all = tables.map((table): KeyChange => {
      const keys = keysOf(table.definition, document);
      const oldKeys = keysOf(table.definition, old);
      return { table, keys, oldKeys, isSame: haveSameKeys(keys, oldKeys) };
    });
    for (const { table, keys, isSame } of all) {
      const taken = isSame ? undefined : table.taken(keys, seq);
      if (taken !== undefined) return taken;
    }
    for (const { table, keys, oldKeys, isSame } of all) {
      if (isSame) {
        table.noteArrays(keys);
      } else {
        table.remove(oldKeys, seq);
        table.add(keys, seq);
      }
    }
    return undefined;
  }

  remove(document: RawDocument, seq: number): undefined {
    for (const table of this.tables) table.remove(keysOf(table.definition, document), seq);
  }
}

/** What a change of a document does to an index. */
interface KeyChange {
  readonly table: IndexTable;
  readonly keys: DocumentKeys;
  readonly oldKeys: DocumentKeys;
  readonly isSame: boolean;
}

function haveSameKeys(a: DocumentKeys, b: DocumentKeys): boolean {
  return a.keys.length === b.keys.length &&
    a.keys.every((key, i) => isSameKey(key, b.keys[i]!));
}

function isSameKey(a: IndexKey, b: IndexKey): boolean {
  if (compareBytes(a.bytes, b.bytes) !== 0) return false;
  return a.types === null || b.types === null ? a.types === b.types : compareBytes(a.types, b.types) === 0;
}

export class IndexTable implements IndexState {
  private readonly insertKey: StatementSync;
  private readonly deleteKey: StatementSync;
  private readonly otherSeq: StatementSync;
  /** Whether the open transaction changed `arrays`. */
  isChanged = false;

  constructor(
    private readonly database: DatabaseSync,
    private readonly id: number,
    readonly number: number,
    readonly definition: IndexDefinition,
    public arrays: readonly (readonly string[])[],
  ) {
    const table = `i${id}_${number}`;
    this.insertKey = database.prepare(`INSERT INTO ${table} VALUES (?, ?, ?)`);
    this.deleteKey = database.prepare(`DELETE FROM ${table} WHERE key = ? AND seq = ?`);
    this.otherSeq = database.prepare(`SELECT seq FROM ${table} WHERE key = ? AND seq <> ? LIMIT 1`);
  }

  taken({ keys }: DocumentKeys, seq = 0): TakenKey | undefined {
    if (!this.definition.refusesDuplicates) return undefined;
    for (const { bytes, values } of keys) {
      if (this.otherSeq.get(bytes, seq) === undefined) continue;
      const { name, keyPattern } = this.definition;
      return { name, keyPattern, keyValue: keyDocument(this.definition, values) };
    }
    return undefined;
  }

  add(own: DocumentKeys, seq: number): void {
    for (const { bytes, types } of own.keys) this.insertKey.run(bytes, seq, types);
    this.noteArrays(own);
  }

  remove({ keys }: DocumentKeys, seq: number): void {
    for (const { bytes } of keys) this.deleteKey.run(bytes, seq);
  }

  /** Notes the paths at which a document of these keys has arrays. */
  noteArrays({ arrays }: DocumentKeys): void {
    if (arrays.every((paths, i) => paths.every((path) => this.arrays[i]!.includes(path)))) return;
    this.isChanged = true;
    this.arrays = this.arrays.map((paths, i) => [...new Set([...paths, ...arrays[i]!])]);
    this.database.prepare("UPDATE indexes SET arrays = ? WHERE collection = ? AND name = ?")
      .run(JSON.stringify(this.arrays), this.id, this.definition.name);
  }
}

/** How far the building of indexes is, in documents. */
export interface BuildProgress {
  readonly done: number;
  readonly total: number;
}

/** Adds documents to indexes that are being made. @returns a key that two documents have in one that is to be unique */
export function addRows(indexes: readonly IndexTable[], rows: readonly StoredRow[]): TakenKey | undefined {
  for (const { seq, doc } of rows) {
    const document = new RawDocument(doc);
    for (const index of indexes) {
      const keys = keysOf(index.definition, document);
      const taken = index.definition.isUnique ? index.taken(keys) : undefined;
      if (taken !== undefined) return taken;
      index.add(keys, seq);
    }
  }
  return undefined;
}

/** Drops all indexes of a collection. */
export function dropIndexTables(database: DatabaseSync, id: number): void {
  const rows = database.prepare("SELECT number FROM indexes WHERE collection = ?").all(id);
  executeTogether(
    database,
    ...rows.map((row) => `DROP TABLE i${id}_${row["number"]}`),
    `DELETE FROM indexes WHERE collection = ${id}`,
  );
}
