/**
 * What `collMod` does to an index: hides it from the planner or shows it again, says when documents expire by it, and makes
 * it unique, in two steps: first it takes no more duplicates, then there must be none.
 */
import { CommandError } from "../base/mod.ts";
import { type BsonWriter, BuiltDocument, Document, Int32, RawDocument, type Value } from "../bson/mod.ts";
import {
  cappedLimits,
  clusteredIndexOf,
  type CollectionInfo,
  indexesOf,
  type Namespace,
  namespaceText,
  shownDocument,
} from "../cluster/mod.ts";
import { Arguments, checkFields, type FieldTable } from "./arguments.ts";
import type { CommandCall } from "./command.ts";
import { withTtl } from "./index_spec.ts";
import { changedTtl, SINGLE_FIELD } from "./index_ttl.ts";
import { hasKey, idIndexOf } from "./indexes.ts";

const FIELDS: FieldTable = {
  name: "string",
  keyPattern: "object",
  expireAfterSeconds: "number",
  hidden: "flag",
  unique: "flag",
  prepareUnique: "flag",
};

export interface IndexChange {
  /** A name, or a key. */
  readonly index: string | Document;
  /** Undefined to leave it as it is. */
  readonly hidden: boolean | undefined;
  /** As given; undefined to leave it as it is. */
  readonly seconds: Value;
  /** Whether it refuses duplicates from now on; undefined to leave that as it is. */
  readonly prepareUnique: boolean | undefined;
  /** Whether it is to be unique. */
  readonly unique: boolean;
  /** Only asks whether it could be. */
  readonly isDry: boolean;
}

/** @throws CommandError when the form is wrong */
export function parseIndexChange(args: Arguments): IndexChange | undefined {
  const document = args.get("index");
  if (!(document instanceof RawDocument)) return undefined;
  const fields = new Arguments(document);
  checkFields(fields, "collMod.index", FIELDS);
  const index = fields.string("name") ?? fields.document("keyPattern");
  if (index === undefined) throw invalid("Must specify either index name or key pattern.");
  if (fields.has("name") && fields.has("keyPattern")) {
    throw invalid("Cannot specify both key pattern and name.");
  }
  const seconds = fields.get("expireAfterSeconds");
  const flag = (name: string) => fields.has(name) ? fields.flag(name) : undefined;
  if (!["hidden", "expireAfterSeconds", "prepareUnique", "unique"].some((name) => fields.has(name))) {
    throw invalid("no expireAfterSeconds, hidden, unique, or prepareUnique field");
  }
  if (flag("unique") === false) throw new CommandError("BadValue", "Cannot make index non-unique");
  return {
    index,
    hidden: flag("hidden"),
    seconds,
    prepareUnique: flag("prepareUnique"),
    unique: fields.flag("unique"),
    isDry: args.flag("dryRun"),
  };
}

export async function changeIndex(
  call: CommandCall,
  namespace: Namespace,
  change: IndexChange,
  reply: BsonWriter,
): Promise<void> {
  const { index: asked } = change;
  const isAsked = (index: Document) =>
    asked instanceof Document ? hasKey(index, asked) : index.get("name") === asked;
  let before: Document = BuiltDocument.EMPTY;
  let after = before;
  const { router } = call.state.services;
  await router.changeIndexes(namespace, (info) => {
    const clustered = clusteredIndexOf(info);
    if (clustered !== undefined && isAsked(clustered) && change.hidden !== undefined) {
      throw new CommandError(6011800, "The 'hidden' option is not supported for a clusteredIndex");
    }
    const idIndex = idIndexOf(info);
    if (idIndex !== undefined && isAsked(idIndex)) return onIdIndex(change, info);
    const indexes = indexesOf(info);
    const found = indexes.find(isAsked);
    if (found === undefined) {
      const text = asked instanceof Document ? shownDocument(asked) : asked;
      throw new CommandError("IndexNotFound", `cannot find index ${text} for ns ${namespaceText(namespace)}`);
    }
    if (change.seconds !== undefined && cappedLimits(info) !== undefined) {
      throw invalid("TTL indexes are not supported for capped collections.");
    }
    if (change.unique && found.get("unique") !== true) {
      checkUnique(found, router.duplicates(namespace, String(found.get("name"))));
    }
    if (change.isDry) return indexes;
    before = found;
    after = changedIndex(found, change);
    return indexes.map((index) => index === found ? after : index);
  });
  writeChanges(reply, change, before, after);
}

/** It is unique, and that is all that it can be. */
function onIdIndex({ seconds, hidden }: IndexChange, info: CollectionInfo): readonly Document[] {
  if (seconds !== undefined) throw invalid("the _id field does not support TTL indexes");
  if (hidden !== undefined) throw new CommandError("BadValue", "can't hide _id index");
  return indexesOf(info);
}

/** @throws CommandError unless an index may become unique */
function checkUnique(index: Document, duplicates: readonly (readonly Value[])[]): void {
  if (index.get("prepareUnique") !== true) {
    throw invalid("Cannot make index unique with 'prepareUnique=false'. Run collMod to set it first.");
  }
  if (duplicates.length === 0) return;
  throw new CommandError(
    "CannotConvertIndexToUnique",
    "Cannot convert the index to unique. Please resolve conflicting documents before running collMod again.",
    { extra: { violations: duplicates.map((ids) => BuiltDocument.of({ ids })) } },
  );
}

function changedIndex(index: Document, { hidden, seconds, prepareUnique, unique }: IndexChange): Document {
  if (unique) return withFlag(withFlag(index, "prepareUnique", false), "unique", true);
  if (prepareUnique !== undefined) {
    if (hidden !== undefined || seconds !== undefined) {
      throw invalid("prepareUnique cannot be combined with any other modification.");
    }
    return index.get("unique") === true ? index : withFlag(index, "prepareUnique", prepareUnique);
  }
  const changed = hidden === undefined ? index : withFlag(index, "hidden", hidden);
  if (seconds === undefined) return withTtl(changed, index.get("expireAfterSeconds") as Int32 | undefined);
  const key = index.get("key");
  if (key instanceof Document && key.names().length > 1) throw invalid(SINGLE_FIELD);
  return withTtl(changed, changedTtl(seconds));
}

function writeChanges(
  reply: BsonWriter,
  { hidden, seconds, prepareUnique }: IndexChange,
  before: Document,
  after: Document,
) {
  if (seconds !== undefined) {
    for (const [name, index] of [["old", before], ["new", after]] as const) {
      const value = index.get("expireAfterSeconds");
      if (value instanceof Int32) reply.value(`expireAfterSeconds_${name}`, BigInt(value.value));
    }
  }
  if (hidden !== undefined) writeFlag(reply, "hidden", before, after);
  if (prepareUnique !== undefined) writeFlag(reply, "prepareUnique", before, after);
  if (before.get("unique") !== true && after.get("unique") === true) reply.value("unique_new", true);
}

/** What a flag was and is, where that is not the same. */
function writeFlag(reply: BsonWriter, name: string, before: Document, after: Document): void {
  const old = before.get(name) === true;
  const now = after.get(name) === true;
  if (old === now) return;
  reply.value(`${name}_old`, old);
  reply.value(`${name}_new`, now);
}

function withFlag(index: Document, flag: string, value: boolean): Document {
  const names = index.names().filter((name) => name !== flag);
  const values = names.map((name) => index.get(name));
  return value ? new BuiltDocument([...names, flag], [...values, true]) : new BuiltDocument(names, values);
}

function invalid(message: string): CommandError {
  return new CommandError("InvalidOptions", message);
}
