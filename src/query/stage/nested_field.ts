/** A field below others, read and set where the way to it leads through documents only. */
import { BuiltDocument, Document, DocumentBuilder, type Value } from "../../bson/mod.ts";
import { keyedAs, KeyedRow } from "../keyed_row.ts";

/** The value at a path through documents only. */
export function valueAt(document: Document, path: readonly string[]): Value {
  let value: Value = document;
  for (const name of path) {
    if (!(value instanceof Document)) return undefined;
    value = value.get(name);
  }
  return value;
}

/** A copy with the value at `path` set, or removed when undefined; what is no document on the way becomes one. */
export function setAt(document: Document, path: readonly string[], from: number, value: Value): Document {
  const name = path[from]!;
  if (document instanceof KeyedRow) return keyedAs(document, setAt(document.row, path, from, value));
  if (from === path.length - 1) return withField(document, name, value);
  const child = document.get(name);
  const inner = child instanceof Document ? child : new DocumentBuilder().build();
  return withField(document, name, setAt(inner, path, from + 1, value));
}

function withField(document: Document, name: string, value: Value): Document {
  const copy = document instanceof BuiltDocument && value !== undefined
    ? document.withValue(name, value)
    : undefined;
  return copy ?? DocumentBuilder.from(document).set(name, value).build();
}
