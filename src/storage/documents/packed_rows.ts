/**
 * Rows of which SQLite makes one: a blob with their documents, one behind the other, and a text with their places. Most of
 * what a row costs is not to find it but to hand over a blob of its own.
 *
 *     documents BLOB   (BSON, or of a large document its first four bytes, which are its length)*
 *     places TEXT      "3,4,17"
 */
import { RawDocument, readInt32 } from "../../bson/mod.ts";
import type { KeyRow, StoredRow } from "./stored_row.ts";

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

/** What to select of keys, `i`, that come in order. @param types what has their types */
export function packedKeys(types: string): string {
  return "CAST(group_concat(i.key, '') AS BLOB), group_concat(length(i.key)), group_concat(i.seq), " +
    `group_concat(CASE WHEN ${types} IS NULL THEN '' ELSE hex(${types}) END)`;
}

/** What is selected; null of no keys. The types are in hexadecimal digits. */
export type PackedKeys = readonly [
  keys: Uint8Array | null,
  sizes: string | null,
  places: string | null,
  types: string | null,
];

/** The keys, which share a buffer. */
export function unpackKeys([keys, sizes, places, types]: PackedKeys): KeyRow[] {
  if (keys === null || sizes === null || places === null || types === null) return [];
  const seqs = places.split(",");
  const typesOf = types.split(",");
  let at = 0;
  return sizes.split(",").map((size, i) => {
    const key = keys.subarray(at, at += Number(size));
    const open = typesOf[i]!;
    return { seq: Number(seqs[i]), key, types: open === "" ? null : Uint8Array.fromHex(open) };
  });
}

/** The places of packed rows: hardly anyone asks for all of them. */
class Places {
  private places: readonly string[] | undefined;

  constructor(private readonly text: string) {}

  at(row: number): number {
    this.places ??= this.text.split(",");
    return Number(this.places[row]);
  }
}

/** A row that is its document, which stands among others. */
class PackedRow extends RawDocument implements StoredRow {
  constructor(
    documents: Uint8Array,
    at: number,
    private readonly places: Places,
    private readonly row: number,
  ) {
    super(documents, at);
  }

  get seq(): number {
    return this.places.at(this.row);
  }

  get doc(): Uint8Array {
    return this.slice();
  }
}

/** The document of a row. */
export function documentOf(row: StoredRow): RawDocument {
  return row instanceof PackedRow ? row : new RawDocument(row.doc);
}

/** The rows, whose documents share a buffer; undefined where one of them was too large to be in it. */
export function unpackRows([documents, text]: PackedRows): StoredRow[] | undefined {
  if (documents === null || text === null) return [];
  const places = new Places(text);
  const rows: StoredRow[] = [];
  for (let at = 0; at < documents.length;) {
    const sizeBytes = readInt32(documents, at);
    if (sizeBytes > MAX_DOCUMENT_BYTES) return undefined;
    rows.push(new PackedRow(documents, at, places, rows.length));
    at += sizeBytes;
  }
  return rows;
}
