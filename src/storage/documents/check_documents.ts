/**
 * Looks at a store of regular collections: SQLite's own check, then every document against its key and the totals.
 *
 * SQLite makes files beside one in WAL mode even for a reader, so whoever must not change a folder gives a copy: the file
 * and its `-wal`, as a crash may have left them.
 */
import type { DatabaseSync } from "node:sqlite";
import { guarded, openForReading } from "./sqlite.ts";
import { wrongWithDocument } from "./verify_collection.ts";

/** What a store of regular collections holds. */
export interface DocumentsReport {
  /** The log index of the last commit. */
  readonly appliedIndex: number;
  readonly collections: ReadonlyMap<number, { readonly documents: number; readonly dataBytes: number }>;
  /** What is wrong, and at which byte, as far as SQLite names the page; else 0. */
  readonly problems: readonly { readonly offset: number; readonly reason: string }[];
}

/**
 * @param path as the operating system knows it
 * @throws CorruptionError when SQLite cannot read the file
 */
export function checkDocuments(path: string): DocumentsReport {
  return guarded(path, () => {
    const database = openForReading(path);
    try {
      return report(database);
    } finally {
      database.close();
    }
  });
}

function report(database: DatabaseSync): DocumentsReport {
  const problems: string[] = [];
  for (const row of database.prepare("PRAGMA integrity_check").all()) {
    const said = String(row["integrity_check"]);
    if (said !== "ok") problems.push(...said.split("\n"));
  }
  const collections = new Map<number, { documents: number; dataBytes: number }>();
  for (const row of database.prepare("SELECT id, documents, bytes FROM collections").all()) {
    const id = Number(row["id"]);
    const found = checkCollection(database, id, problems);
    collections.set(id, found);
    if (found.documents !== row["documents"] || found.dataBytes !== row["bytes"]) {
      problems.push(
        `collection ${id} has ${found.documents} documents of ${found.dataBytes} bytes, its totals say ` +
          `${row["documents"]} of ${row["bytes"]}`,
      );
    }
  }
  const applied = database.prepare("SELECT log_index FROM applied").get();
  const pageBytes = Number(database.prepare("PRAGMA page_size").get()?.["page_size"]);
  return {
    appliedIndex: Number(applied?.["log_index"]),
    collections,
    problems: problems.map((reason) => ({ offset: placeIn(reason, pageBytes), reason })),
  };
}

/** Where the page that a message names starts; pages count from 1. */
function placeIn(message: string, pageBytes: number): number {
  const page = /\bpage (\d+)/i.exec(message)?.[1];
  return page === undefined ? 0 : (Number(page) - 1) * pageBytes;
}

/** Reads all documents of a collection. */
function checkCollection(database: DatabaseSync, id: number, problems: string[]) {
  let documents = 0;
  let dataBytes = 0;
  for (const row of database.prepare(`SELECT seq, key, doc FROM c${id} ORDER BY seq`).iterate()) {
    const bytes = row["doc"] as Uint8Array;
    documents++;
    dataBytes += bytes.length;
    const wrong = wrongWithDocument(bytes, row["key"] as Uint8Array);
    if (wrong !== undefined) problems.push(`collection ${id}, document ${row["seq"]}: ${wrong}`);
  }
  return { documents, dataBytes };
}
