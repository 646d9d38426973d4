/** What `collMod` does to an index: hides it from the planner or shows it again, and says when documents expire by it. */
import { CommandError } from "../base/mod.ts";
import { type BsonWriter, BuiltDocument, Document, Int32, RawDocument, type Value } from "../bson/mod.ts";
import {
  cappedLimits,
  clusteredIndexOf,
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
const NOT_IMPLEMENTED = ["unique", "prepareUnique"] as const;

export interface IndexChange {
  /** A name, or a key. */
  readonly index: string | Document;
  /** Undefined to leave it as it is. */
  readonly hidden: boolean | undefined;
  /** As given; undefined to leave it as it is. */
  readonly seconds: Value;
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
  const missing = NOT_IMPLEMENTED.find((name) => fields.has(name));
  if (missing !== undefined) {
    throw new CommandError("NotImplemented", `the option 'index.${missing}' of collMod is not implemented`);
  }
  const seconds = fields.get("expireAfterSeconds");
  const hidden = fields.has("hidden") ? fields.flag("hidden") : undefined;
  if (hidden === undefined && seconds === undefined) {
    throw invalid("no expireAfterSeconds, hidden, unique, or prepareUnique field");
  }
  return { index, hidden, seconds };
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
  await call.state.services.router.changeIndexes(namespace, (info) => {
    const clustered = clusteredIndexOf(info);
    if (clustered !== undefined && isAsked(clustered) && change.hidden !== undefined) {
      throw new CommandError(6011800, "The 'hidden' option is not supported for a clusteredIndex");
    }
    const idIndex = idIndexOf(info);
    if (idIndex !== undefined && isAsked(idIndex)) throw onIdIndex(change);
    const indexes = indexesOf(info);
    const found = indexes.find(isAsked);
    if (found === undefined) {
      const text = asked instanceof Document ? shownDocument(asked) : asked;
      throw new CommandError("IndexNotFound", `cannot find index ${text} for ns ${namespaceText(namespace)}`);
    }
    if (change.seconds !== undefined && cappedLimits(info) !== undefined) {
      throw invalid("TTL indexes are not supported for capped collections.");
    }
    before = found;
    after = changedIndex(found, change);
    return indexes.map((index) => index === found ? after : index);
  });
  writeChanges(reply, change, before, after);
}

function onIdIndex({ seconds }: IndexChange): CommandError {
  return seconds === undefined
    ? new CommandError("BadValue", "can't hide _id index")
    : invalid("the _id field does not support TTL indexes");
}

function changedIndex(index: Document, { hidden, seconds }: IndexChange): Document {
  const changed = hidden === undefined ? index : withHidden(index, hidden);
  if (seconds === undefined) return withTtl(changed, index.get("expireAfterSeconds") as Int32 | undefined);
  const key = index.get("key");
  if (key instanceof Document && key.names().length > 1) throw invalid(SINGLE_FIELD);
  return withTtl(changed, changedTtl(seconds));
}

function writeChanges(
  reply: BsonWriter,
  { hidden, seconds }: IndexChange,
  before: Document,
  after: Document,
) {
  if (seconds !== undefined) {
    for (const [name, index] of [["old", before], ["new", after]] as const) {
      const value = index.get("expireAfterSeconds");
      if (value instanceof Int32) reply.value(`expireAfterSeconds_${name}`, BigInt(value.value));
    }
  }
  const wasHidden = before.get("hidden") === true;
  if (hidden === undefined || hidden === wasHidden) return;
  reply.value("hidden_old", wasHidden);
  reply.value("hidden_new", hidden);
}

function withHidden(index: Document, hidden: boolean): Document {
  const names = index.names().filter((name) => name !== "hidden");
  const values = names.map((name) => index.get(name));
  return hidden
    ? new BuiltDocument([...names, "hidden"], [...values, true])
    : new BuiltDocument(names, values);
}

function invalid(message: string): CommandError {
  return new CommandError("InvalidOptions", message);
}
