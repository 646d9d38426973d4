/**
 * The canonical form of a metaField's value: the fields of every document in it sorted by name, types kept, arrays in
 * their order. Two measurements belong to one series exactly when these bytes are equal, as in MongoDB.
 */
import { compareText } from "./compare.ts";
import { BuiltDocument, Document } from "./document.ts";
import { isArray, type Value } from "./value.ts";

/** A value with the fields of all documents in it sorted. */
export function canonicalValue(value: Value): Value {
  if (value instanceof Document) return canonicalDocument(value);
  return isArray(value) ? value.map(canonicalValue) : value;
}

function canonicalDocument(document: Document): Document {
  const names = document.names();
  const values = document.values();
  const order = names.map((_, i) => i).sort((a, b) => compareText(names[a]!, names[b]!) || a - b);
  return new BuiltDocument(order.map((i) => names[i]!), order.map((i) => canonicalValue(values[i])));
}
