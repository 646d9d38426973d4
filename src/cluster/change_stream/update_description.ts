/** What an update event says of its update: paths, with the values that the document had at them right after it. */
import { BuiltDocument, Document, DocumentBuilder, Int32, isArray, type Value } from "../../bson/mod.ts";
import type { Delta } from "../../query/mod.ts";

/** {updatedFields, removedFields, truncatedArrays} of the update that made `document`. */
export function updateDescription(document: Document, changes: Delta): BuiltDocument {
  const updated = new DocumentBuilder();
  const removed: string[] = [];
  const truncated: Document[] = [];
  for (const { kind, path } of changes) {
    const field = path.join(".");
    if (kind === "remove") removed.push(field);
    else if (kind === "set") updated.append(field, valueAt(document, path));
    else truncated.push(BuiltDocument.of({ field, newSize: Int32.of(lengthOf(valueAt(document, path))) }));
  }
  return BuiltDocument.of({
    updatedFields: updated.build(),
    removedFields: removed,
    truncatedArrays: truncated,
  });
}

function valueAt(document: Document, path: readonly string[]): Value {
  let value: Value = document;
  for (const part of path) {
    if (value instanceof Document) value = value.get(part);
    else if (isArray(value)) value = value[Number(part)];
    else return undefined;
  }
  return value;
}

function lengthOf(value: Value): number {
  return isArray(value) ? value.length : 0;
}
