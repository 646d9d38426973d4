/** Documents with what is known of them beside their fields: their place, and the key by which an index led to them. */
import { BuiltDocument, type Document, IndexKeyReader, RawDocument } from "../../bson/mod.ts";
import type { KeyField } from "./key_documents.ts";
import type { IndexRow, StoredRow } from "./stored_row.ts";

/** Names of fields, of which no document has one of its own, under which documents have these behind all others. */
export interface ShownFields {
  readonly place?: string;
  /** Of no field where no index led to the document. */
  readonly key?: string;
}

/** The fields of an index with their names as the client gave them. */
export interface NamedKey {
  readonly keyPattern: Document;
  readonly fields: readonly KeyField[];
}

/** @param key see `keyOf`; undefined where no index led there */
export function shownDocument(
  { seq, doc }: StoredRow,
  shown: ShownFields,
  key: Document | undefined,
): Document {
  const document = new RawDocument(doc);
  const names = [...document.names()];
  const values = [...document.values()];
  if (shown.place !== undefined) {
    names.push(shown.place);
    values.push(BigInt(seq));
  }
  if (shown.key !== undefined && key !== undefined) {
    names.push(shown.key);
    values.push(key);
  }
  return new BuiltDocument(names, values);
}

/** The key of a row as a document with the names of the index's fields, dotted ones as they are. */
export function keyOf({ keyPattern, fields }: NamedKey, { key, types }: IndexRow): Document {
  const reader = new IndexKeyReader(key, types);
  return new BuiltDocument(keyPattern.names(), fields.map(({ descending }) => reader.next(descending)));
}
