/**
 * Rows of which SQLite makes one: a blob with their documents, one behind the other, and a text with their places. Most of
 * what a row costs is not to find it but to hand over a blob of its own.
 *
 *     documents BLOB   (BSON, or of a large document its first four bytes, which are its length)*
 *     places TEXT      "3,4,17"
 */
import { readInt32 } from "../../bson/mod.ts";
import type { StoredRow } from "./collection_table.ts";

/** A larger one is not copied once more for others' sake. */
const MAX_DOCUMENT_BYTES = 16 * 1024;
const LENGTH_BYTES = 4;
/** Rows that are asked for at once, so that what SQLite makes of them stays small too. */
export const MAX_PACKED_ROWS = 256;

/** What to select of a table of documents, `c`, whose rows come in order. */
export const PACKED_COLUMNS =
  `CAST(group_concat(CASE WHEN length(c.doc) <= ${MAX_DOCUMENT_BYTES} THEN c.doc ` +
  `ELSE substr(c.doc, 1, ${LENGTH_BYTES}) END, '') AS BLOB), group_concat(c.seq)`;

/** What is selected; null of no rows. */
export type PackedRows = readonly [documents: Uint8Array | null, places: string | null];

/** The rows, whose documents share a buffer; undefined where one of them was too large to be in it. */
export function unpackRows([documents, places]: PackedRows): StoredRow[] | undefined {
  if (documents === null || places === null) return [];
  const rows: StoredRow[] = [];
  let at = 0;
  for (const place of places.split(",")) {
    const sizeBytes = readInt32(documents, at);
    if (sizeBytes > MAX_DOCUMENT_BYTES) return undefined;
    rows.push({ seq: Number(place), doc: documents.subarray(at, at + sizeBytes) });
    at += sizeBytes;
  }
  return rows;
}
