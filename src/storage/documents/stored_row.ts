/** Rows as they are read from SQLite, or kept beside it. */

/** A document and where it stands. */
export interface StoredRow {
  readonly seq: number;
  readonly doc: Uint8Array;
}

/** A row to keep: rows that are read together share memory, all of which each of them keeps. */
export function withOwnMemory({ seq, doc }: StoredRow): StoredRow {
  return { seq, doc: doc.buffer.byteLength === doc.length ? doc : doc.slice() };
}

/** A key of a document, and what that leaves open: see bson/key_types.ts. */
export interface KeyRow {
  readonly seq: number;
  readonly key: Uint8Array;
  readonly types: Uint8Array | null;
}

/** A document under one of its keys. */
export interface IndexRow extends StoredRow, KeyRow {}
