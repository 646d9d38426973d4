/** What a collection takes in its SQLite file. */
import type { DatabaseSync } from "node:sqlite";

export interface DocumentStats extends PageSizes {
  readonly count: number;
  /** Bytes of the documents as BSON. */
  readonly dataBytes: number;
}

export interface PageSizes {
  /** Bytes of the pages of the documents. */
  readonly storageBytes: number;
  /** Bytes of the pages of the index on _id. */
  readonly indexBytes: number;
}

export function pageSizes(database: DatabaseSync, id: number): PageSizes {
  return { storageBytes: pageBytes(database, `c${id}`), indexBytes: pageBytes(database, `c${id}_id`) };
}

/** Bytes of the pages of a table or an index. */
function pageBytes(database: DatabaseSync, name: string): number {
  const row = database.prepare("SELECT sum(pgsize) AS bytes FROM dbstat WHERE name = ?").get(name);
  return Number(row?.["bytes"] ?? 0);
}
