/** Which names databases and collections may have, with the words that MongoDB 6.0 has for each mistake. */
import { CommandError, type ErrorCodeLike, MAX_NAMESPACE_BYTES } from "../base/mod.ts";
import { aliasOfType } from "../bson/mod.ts";
import { type Namespace, namespaceText } from "../cluster/mod.ts";
import type { CommandCall } from "./command.ts";

const MAX_DATABASE_NAME_BYTES = 63;
const BUCKETS_PREFIX = "system.buckets.";
const READ_ONLY_COLLECTIONS: ReadonlySet<string> = new Set(["system.views", "system.profile"]);
/** Those of `config` in which the server shows itself: see config_database.ts. */
const SHOWN_IN_CONFIG: ReadonlySet<string> = new Set(["databases", "mongos", "shards", "version"]);
const WRITABLE_SYSTEM_COLLECTIONS: ReadonlySet<string> = new Set([
  "system.js",
  "system.users",
  "system.version",
]);
/** What any database may be called; other names are looked at more closely. */
const PLAIN_NAME = /^[a-zA-Z0-9_-]{1,63}$/;
const UTF8 = new TextEncoder();
/** Of a UTF-16 unit in UTF-8. */
const MAX_BYTES_OF_UNIT = 3;

/** @throws CommandError InvalidNamespace when a database cannot have that name */
export function checkDatabaseName(name: string): void {
  if (PLAIN_NAME.test(name)) return;
  if (name.includes("\0")) throw invalid("namespaces cannot have embedded null characters");
  if (name.includes(".")) throw invalid(`'.' is an invalid character in the database name: ${name}`);
  if (name === "" || /[/\\ "]/.test(name) || UTF8.encode(name).length > MAX_DATABASE_NAME_BYTES) {
    throw invalid(`Invalid database name: '${name}'`);
  }
}

/**
 * The collection that a command is about: the value of its first field.
 *
 * @param codeOfWrongType what the command answers when that is not a string
 * @throws CommandError when it is no usable name
 */
export function namespaceOf(call: CommandCall, codeOfWrongType: ErrorCodeLike = "BadValue"): Namespace {
  const name = call.args.get(call.name);
  if (typeof name !== "string") {
    const type = aliasOfType(call.args.type(call.name));
    throw new CommandError(codeOfWrongType, `collection name has invalid type ${type}`);
  }
  checkCollectionName(call.db, name);
  return { db: call.db, collection: name };
}

/** @throws CommandError InvalidNamespace when no collection can have that name */
export function checkCollectionName(db: string, name: string): void {
  if (name.includes("\0")) throw invalid("namespaces cannot have embedded null characters");
  if (name.startsWith(".")) throw invalid(`Collection names cannot start with '.': ${name}`);
  if (name === "") throw invalid(`Invalid namespace specified '${db}.'`);
}

/** The two names in `db.collection`; undefined where one of them is not there. */
export function splitNamespace(text: string): Namespace | undefined {
  const dot = text.indexOf(".");
  if (dot <= 0 || dot === text.length - 1) return undefined;
  return { db: text.slice(0, dot), collection: text.slice(dot + 1) };
}

/** For reads: `$` is refused in a wording of its own; bucket collections cannot be read yet. */
export function namespaceToRead(call: CommandCall, codeOfWrongType: ErrorCodeLike = "BadValue"): Namespace {
  const namespace = namespaceOf(call, codeOfWrongType);
  if (namespaceText(namespace).includes("$")) {
    throw invalid(`Invalid collection name specified '${namespaceText(namespace)}`);
  }
  refuseBuckets(call, namespace);
  return namespace;
}

/** For inserts and creation. */
export function namespaceToWrite(call: CommandCall): Namespace {
  const namespace = namespaceOf(call);
  checkNamespaceToWrite(namespace);
  return namespace;
}

/** @throws CommandError when nobody may write there */
export function checkNamespaceToWrite(namespace: Namespace): void {
  const { collection } = namespace;
  const text = namespaceText(namespace);
  const isShown = namespace.db === "config" && SHOWN_IN_CONFIG.has(collection);
  if (isShown || READ_ONLY_COLLECTIONS.has(collection)) throw invalid(`cannot write to ${text}`);
  if (collection.includes("$")) throw invalid(`Invalid collection name: ${collection}`);
  if (isLongerThan(text, MAX_NAMESPACE_BYTES)) {
    throw invalid(`Fully qualified namespace is too long. Namespace: ${text} Max: ${MAX_NAMESPACE_BYTES}`);
  }
  if (collection.startsWith(BUCKETS_PREFIX)) {
    throw new CommandError(
      "NotImplemented",
      `writing to ${text} is not implemented: write to the time-series collection`,
    );
  }
  if (collection.startsWith("system.") && !WRITABLE_SYSTEM_COLLECTIONS.has(collection)) {
    throw invalid(`Invalid system namespace: ${text}`);
  }
}

/** Whether a text takes more bytes in UTF-8. */
function isLongerThan(text: string, bytes: number): boolean {
  return text.length * MAX_BYTES_OF_UNIT > bytes && UTF8.encode(text).length > bytes;
}

/** The time-series collection whose buckets a `system.buckets.X` would hold. */
export function collectionOfBuckets(namespace: Namespace): Namespace | undefined {
  const { db, collection } = namespace;
  if (!collection.startsWith(BUCKETS_PREFIX)) return undefined;
  return { db, collection: collection.slice(BUCKETS_PREFIX.length) };
}

export function bucketsName(collection: string): string {
  return BUCKETS_PREFIX + collection;
}

/** Silence would look like an empty collection, to mongodump above all. */
function refuseBuckets(call: CommandCall, namespace: Namespace): void {
  const owner = collectionOfBuckets(namespace);
  if (owner === undefined || call.state.services.router.collection(owner) === undefined) return;
  throw new CommandError(
    "NotImplemented",
    `reading ${namespaceText(namespace)} is not implemented: read ${namespaceText(owner)}`,
  );
}

function invalid(message: string): CommandError {
  return new CommandError("InvalidNamespace", message);
}
