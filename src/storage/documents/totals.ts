/** What is known of a collection without asking SQLite. */
import type { DatabaseSync } from "node:sqlite";
import { encodeKeyTypes } from "../../bson/mod.ts";
import { idOf } from "./document_id.ts";
import type { Effect } from "./effect.ts";

/** Replaced, not changed, so that a rollback can go back. */
export interface Totals {
  readonly count: number;
  /** Bytes of the documents as BSON. */
  readonly dataBytes: number;
  /** Where the next document stands. */
  readonly nextSeq: number;
  /** Whether the keys of all _ids that there are, or were, leave nothing open: see bson/key_types.ts. */
  readonly plainIds: boolean;
}

export const NO_DOCUMENTS: Totals = { count: 0, dataBytes: 0, nextSeq: 1, plainIds: true };

const COUNT_CHANGE = { insert: 1, replace: 0, update: 0, delete: -1 } as const;

/** Those of all collections in a file. */
export function loadTotals(database: DatabaseSync): Map<number, Totals> {
  const rows = database.prepare("SELECT id, documents, bytes, plain_ids FROM collections").all();
  return new Map(rows.map((row) => {
    const id = Number(row["id"]);
    const nextSeq = lastSeq(database, id) + 1;
    const plainIds = Number(row["plain_ids"]) === 1;
    return [id, { count: Number(row["documents"]), dataBytes: Number(row["bytes"]), nextSeq, plainIds }];
  }));
}

/** The totals after an effect. @param oldBytes of the document that was there */
export function totalsAfter(
  { count, dataBytes, nextSeq, plainIds }: Totals,
  { kind, document }: Effect,
  oldBytes: number,
): Totals {
  return {
    count: count + COUNT_CHANGE[kind],
    dataBytes: dataBytes - oldBytes + (kind === "delete" ? 0 : document.sizeBytes),
    nextSeq: kind === "insert" ? nextSeq + 1 : nextSeq,
    plainIds: plainIds && (kind === "delete" || encodeKeyTypes([idOf(document)]) === null),
  };
}

/** The highest place taken; 0 in an empty collection. */
function lastSeq(database: DatabaseSync, id: number): number {
  return Number(database.prepare(`SELECT max(seq) AS last FROM c${id}`).get()?.["last"] ?? 0);
}
