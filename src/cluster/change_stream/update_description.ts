/** What an update event says of its update: paths, with the values that the document had at them right after it. */
import { BuiltDocument, Document, DocumentBuilder, Int32, isArray, type Value } from "../../bson/mod.ts";
import type { FieldChange } from "../../storage/mod.ts";

/**
 * {updatedFields, removedFields, truncatedArrays} of the update that made `document`; expanded with disambiguatedPaths, for
 * those paths that could be read in two ways.
 */
export function updateDescription(
  document: Document,
  changes: readonly FieldChange[],
  isExpanded = false,
): BuiltDocument {
  const updated = new DocumentBuilder();
  const removed: string[] = [];
  const truncated: Document[] = [];
  const ambiguous = new DocumentBuilder();
  for (const { kind, path } of inOrder(changes)) {
    const field = path.join(".");
    if (isExpanded) ambiguous.append(field, partsOfAmbiguous(document, path));
    if (kind === "remove") removed.push(field);
    else if (kind !== "truncate") updated.append(field, valueAt(document, path));
    else truncated.push(BuiltDocument.of({ field, newSize: Int32.of(lengthOf(valueAt(document, path))) }));
  }
  return BuiltDocument.of({
    updatedFields: updated.build(),
    removedFields: removed,
    truncatedArrays: truncated,
    disambiguatedPaths: isExpanded ? ambiguous.build() : undefined,
  });
}

const NUMBER = /^(?:0|[1-9][0-9]*)$/;

/**
 * The parts of a path, places in arrays as numbers, where its text could be read in two ways: a field has a dot in its name, or
 * a name that could be a place. Undefined where it could not.
 */
function partsOfAmbiguous(document: Document, path: readonly string[]): readonly Value[] | undefined {
  let holder: Value = document;
  let isAmbiguous = false;
  const parts: Value[] = [];
  for (const part of path) {
    const isPlace = isArray(holder);
    isAmbiguous ||= !isPlace && (part.includes(".") || NUMBER.test(part));
    parts.push(isPlace ? Int32.of(Number(part)) : part);
    holder = isArray(holder)
      ? holder[Number(part)]
      : holder instanceof Document
      ? holder.get(part)
      : undefined;
  }
  return isAmbiguous ? parts : undefined;
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
