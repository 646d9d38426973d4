/** Whether an index that is asked for is there already, or in the way of one that is. */
import { CommandError } from "../base/mod.ts";
import { BuiltDocument, Document, equalValues, type Value } from "../bson/mod.ts";
import { shownDocument } from "../cluster/mod.ts";
import { inSpec, isYes, withVersion } from "./index_spec.ts";
import { hasKey } from "./indexes.ts";

/** An index as the client asks for it, and as `listIndexes` would show it. */
export interface RequestedIndex {
  readonly spec: Document;
  readonly index: Document;
}

/** Indexes that hold the same keys of the same documents. */
const SAME_KEYS = ["key", "unique", "sparse", "partialFilterExpression", "wildcardProjection"] as const;

/**
 * Whether an index that is asked for is there already.
 *
 * @throws CommandError when another one is in its way: IndexKeySpecsConflict (86) for its name, IndexOptionsConflict (85)
 *   for its key
 */
export function isThere(
  { spec, index }: RequestedIndex,
  existing: readonly Document[],
): boolean {
  const clustered = existing.find((other) => other.has("clustered"));
  if (clustered === undefined && index.has("clustered")) throw notClustered(spec);
  if (clustered !== undefined) {
    if (hasKey(index, clustered.get("key"))) return true;
    if (index.get("name") === clustered.get("name")) throw clusteredName(spec, clustered);
  }
  const named = existing.find((other) => other.get("name") === index.get("name"));
  if (named !== undefined) {
    if (haveSameKeys(index, named)) {
      if (haveSameUse(index, named)) return true;
      throw otherOptions("the same name but different options", index, named);
    }
    throw new CommandError(
      "IndexKeySpecsConflict",
      "An existing index has the same name as the requested index. When index names are not specified, they are auto " +
        "generated and can cause conflicts. Please refer to our documentation. Requested index: " +
        `${shownDocument(keyLater(index))}, existing index: ${shownDocument(keyLater(named))}`,
    );
  }
  const equal = existing.find((other) => haveSameKeys(index, other));
  if (equal === undefined) return false;
  if (equal.get("name") === "_id_") return true;
  if (!haveSameUse(index, equal)) throw otherOptions("a different name and options", index, equal);
  throw new CommandError(
    "IndexOptionsConflict",
    `Index already exists with a different name: ${equal.get("name")}`,
  );
}

/** Whether they differ in nothing that decides about more than keys. */
function haveSameUse(a: Document, b: Document): boolean {
  return equalValues(a.get("expireAfterSeconds"), b.get("expireAfterSeconds")) &&
    isYes(a.get("prepareUnique")) === isYes(b.get("prepareUnique"));
}

function otherOptions(what: string, index: Document, existing: Document): CommandError {
  return new CommandError(
    "IndexOptionsConflict",
    `An equivalent index already exists with ${what}. Requested index: ${
      shownDocument(keyLater(index))
    }, existing ` +
      `index: ${shownDocument(keyLater(existing))}`,
  );
}

function haveSameKeys(a: Document, b: Document): boolean {
  return SAME_KEYS.every((name) => {
    const left = a.get(name);
    const right = b.get(name);
    if (name === "unique" || name === "sparse") return isYes(left) === isYes(right);
    if (left === undefined || right === undefined) return left === right;
    return equalValues(left, right) && haveSameNames(left, right);
  });
}

/** A key's fields are in order. */
function haveSameNames(a: Value, b: Value): boolean {
  if (!(a instanceof Document) || !(b instanceof Document)) return true;
  return a.names().join("\0") === b.names().join("\0");
}

const FLAGS: ReadonlySet<string> = new Set(["unique", "hidden", "prepareUnique"]);

/** As MongoDB shows an index in messages: flags before the key, all else behind it. */
export function keyLater(index: Document): Document {
  const names = index.names().filter((name) => name !== "v" && name !== "key" && name !== "name");
  const flags = names.filter((name) => FLAGS.has(name));
  const others = names.filter((name) => !FLAGS.has(name));
  const ordered = ["v", ...flags, "key", "name", ...others];
  return new BuiltDocument(ordered, ordered.map((name) => index.get(name)));
}

function notClustered(spec: Document): CommandError {
  const text = "Cannot create index with option 'clustered' that does not match an existing clustered index";
  return inSpec(withVersion(spec), 6243700, text);
}

function clusteredName(spec: Document, clustered: Document): CommandError {
  const shown = BuiltDocument.of({
    v: clustered.get("v"),
    key: clustered.get("key"),
    name: clustered.get("name"),
    unique: clustered.get("unique"),
  });
  const full = withVersion(spec);
  const text =
    "Cannot create an index where the name matches the clusteredIndex but the key does not - indexSpec: " +
    `${shownDocument(full)}, clusteredIndex: ${shownDocument(shown)}`;
  return inSpec(full, 6100906, text);
}
