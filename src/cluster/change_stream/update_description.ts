/** What an update event says of its update: paths, with the values that the document had at them right after it. */
import { BuiltDocument, Document, DocumentBuilder, Int32, isArray, type Value } from "../../bson/mod.ts";
import type { FieldChange } from "../../storage/mod.ts";

/** {updatedFields, removedFields, truncatedArrays} of the update that made `document`. */
export function updateDescription(document: Document, changes: readonly FieldChange[]): BuiltDocument {
  const updated = new DocumentBuilder();
  const removed: string[] = [];
  const truncated: Document[] = [];
  for (const { kind, path } of inOrder(changes)) {
    const field = path.join(".");
    if (kind === "remove") removed.push(field);
    else if (kind !== "truncate") updated.append(field, valueAt(document, path));
    else truncated.push(BuiltDocument.of({ field, newSize: Int32.of(lengthOf(valueAt(document, path))) }));
  }
  return BuiltDocument.of({
    updatedFields: updated.build(),
    removedFields: removed,
    truncatedArrays: truncated,
  });
}

/** Changes below one path. */
interface Changes {
  readonly own: FieldChange[];
  readonly inserts: FieldChange[];
  readonly inside: Map<string, Changes>;
}

/** MongoDB's order: of each document first the fields that had a value, then the new ones, then what changed inside of fields. */
function inOrder(changes: readonly FieldChange[]): readonly FieldChange[] {
  const root = noChanges();
  for (const change of changes) {
    const { kind, path } = change;
    // What is said of a field stands with the document that holds it, what of an element of an array with the element.
    const isOfElement = kind === "element" || kind === "truncate";
    const holder = changesAt(root, isOfElement ? path : path.slice(0, -1));
    (kind === "insert" ? holder.inserts : holder.own).push(change);
  }
  return flattened(root);
}

function changesAt(root: Changes, path: readonly string[]): Changes {
  let changes = root;
  for (const part of path) {
    let next = changes.inside.get(part);
    if (next === undefined) changes.inside.set(part, next = noChanges());
    changes = next;
  }
  return changes;
}

function noChanges(): Changes {
  return { own: [], inserts: [], inside: new Map() };
}

function flattened({ own, inserts, inside }: Changes): FieldChange[] {
  return [...own, ...inserts, ...[...inside.values()].flatMap(flattened)];
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
