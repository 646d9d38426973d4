/** `createIndexes`: makes indexes of one collection, and the collection where there is none. */
import { CommandError } from "../base/mod.ts";
import { type BsonWriter, BuiltDocument, Document, Int32 } from "../bson/mod.ts";
import {
  cappedLimits,
  type CollectionInfo,
  type Namespace,
  namespaceText,
  refuseView,
  shownDocument,
} from "../cluster/mod.ts";
import { withContext } from "../query/mod.ts";
import { checkArrayOfObjects, checkFields, type FieldTable } from "./arguments.ts";
import type { Command, CommandCall } from "./command.ts";
import { isGenericArgument } from "./generic.ts";
import { isThere, keyLater, type RequestedIndex } from "./index_conflicts.ts";
import { plainIndex, timeseriesIndex } from "./index_spec.ts";
import { indexesOf, listedIndexes } from "./indexes.ts";
import { namespaceToWrite } from "./namespace.ts";
import { QueryWork } from "./operation.ts";

const FIELDS: FieldTable = {
  createIndexes: "any",
  indexes: "array!",
  ignoreUnknownIndexOptions: "bool",
  commitQuorum: "any",
  v: "any",
};

/** Of one collection. */
const MAX_INDEXES = 64;
/** Of one index. */
const MAX_FIELDS = 32;

export const createIndexes: Command = {
  name: "createIndexes",
  help:
    "create indexes: {createIndexes: name, indexes: [{key: {field: 1 or -1, …}, name, unique?, sparse?, …}]}",
  stableApi: true,
  takesWriteConcern: true,
  run: runCreateIndexes,
};

async function runCreateIndexes(call: CommandCall, reply: BsonWriter): Promise<void> {
  const namespace = namespaceToWrite(call);
  const { args } = call;
  checkFields(args, "createIndexes", FIELDS, isGenericArgument);
  checkArrayOfObjects(args, "indexes", "createIndexes");
  const specs = (args.array("indexes") ?? []).filter((spec) => spec instanceof Document);
  if (specs.length === 0) throw new CommandError("BadValue", "Must specify at least one index to create");
  const { router } = call.state.services;
  const existing = router.collection(namespace);
  refuseView(existing);
  const asked = specs.map((spec) => ({ spec, index: checked(spec, existing) }));
  refuseTtlOfCapped(asked, existing);
  if (existing === undefined) {
    refuseNewClustered(asked);
    // That on _id is one of them.
    if (asked.length >= MAX_INDEXES) throw tooMany(asked[MAX_INDEXES - 1]!, namespace);
    await createIfMissing(call);
  }
  const work = new QueryWork(call.operation);
  let before = 0;
  let added = 0;
  await router.createIndexes(
    namespace,
    (info) => {
      const known = listedIndexes(info);
      const missing = asked.filter((each) => !isThere(each, known));
      refuseTwins(missing, info);
      refuseTooMany(missing, info);
      refuseUnbuildable(missing, info);
      before = indexesOf(info).length;
      added = missing.length;
      return missing.map(({ index }) => index);
    },
    (progress) => {
      call.operation.progress = { work: "Index Build: scanning collection", ...progress };
      return work.checkpoint();
    },
    call.transaction,
  );
  reply.value("numIndexesBefore", Int32.of(before));
  reply.value("numIndexesAfter", Int32.of(before + added));
  if (added === 0) reply.value("note", "all indexes already exist");
  else reply.value("createdCollectionAutomatically", existing === undefined);
}

function checked(spec: Document, info: CollectionInfo | undefined): Document {
  return info?.timeseries === undefined
    ? plainIndex(spec, info?.options.get("collation"))
    : timeseriesIndex(spec, info.timeseries);
}

function refuseTtlOfCapped(asked: readonly RequestedIndex[], info: CollectionInfo | undefined): void {
  if (info === undefined || cappedLimits(info) === undefined) return;
  if (!asked.some(({ index }) => index.get("expireAfterSeconds") !== undefined)) return;
  throw new CommandError("CannotCreateIndex", "Cannot create TTL index on a capped collection");
}

function refuseNewClustered(asked: readonly RequestedIndex[]): void {
  if (!asked.some(({ index }) => index.has("clustered"))) return;
  const text = "Cannot implicitly create a new collection with createIndex 'clustered' option";
  throw new CommandError(6100900, text);
}

async function createIfMissing(call: CommandCall): Promise<void> {
  try {
    const { router } = call.state.services;
    const spec = { options: BuiltDocument.EMPTY };
    await router.createCollection(namespaceToWrite(call), spec, call.transaction);
  } catch (error) {
    // Another one was quicker.
    if (!(error instanceof CommandError) || error.codeName !== "NamespaceExists") throw error;
  }
}

/** @throws CommandError OperationFailed when two of the indexes are the same, or in each other's way */
function refuseTwins(missing: readonly RequestedIndex[], info: CollectionInfo): void {
  for (const [i, each] of missing.entries()) {
    if (!isThere(each, missing.slice(0, i).map(({ index }) => index))) continue;
    const twins = new CommandError(
      "OperationFailed",
      "Cannot build two identical indexes. Try again without duplicate indexes.",
    );
    throw failedBuild(info, twins);
  }
}

/** @throws CommandError where the collection would have more indexes than it may */
function refuseTooMany(missing: readonly RequestedIndex[], info: CollectionInfo): void {
  const room = MAX_INDEXES - indexesOf(info).length;
  const first = missing[room];
  if (first === undefined) return;
  const error = tooMany(first, info);
  throw room === 0 ? error : failedBuild(info, error);
}

function tooMany({ index }: RequestedIndex, namespace: Namespace): CommandError {
  const key = shownDocument(index.get("key") as Document);
  const text = `add index fails, too many indexes for ${namespaceText(namespace)} key:${key}`;
  return new CommandError("CannotCreateIndex", text);
}

/** @throws CommandError for an index that MongoDB does not begin to build */
function refuseUnbuildable(missing: readonly RequestedIndex[], info: CollectionInfo): void {
  for (const { index } of missing) {
    const key = index.get("key") as Document;
    const hashed = key.values().filter((direction) => direction === "hashed").length;
    const wrong = key.names().length > MAX_FIELDS
      ? new CommandError(13103, "too many compound keys")
      : hashed > 1
      ? new CommandError(
        31303,
        `A maximum of one index field is allowed to be hashed but found ${hashed} for 'key' ${
          shownDocument(key)
        }`,
      )
      : hashed > 0 && index.get("unique") === true
      ? new CommandError(
        16764,
        "Currently hashed indexes cannot guarantee uniqueness. Use a regular index.",
      )
      : undefined;
    if (wrong === undefined) continue;
    const where =
      `Caught exception during index builder ((None)) initialization on namespace${namespaceText(info)} ` +
      `(${uuidText(info)}). ${missing.length} index specs provided. First index spec: ${
        shownDocument(keyLater(missing[0]!.index))
      }`;
    throw failedBuild(info, withContext(where, wrong));
  }
}

function failedBuild(info: CollectionInfo, error: unknown): unknown {
  const build = `Index build failed: ${crypto.randomUUID()}`;
  return withContext(`${build}: Collection ${namespaceText(info)} ( ${uuidText(info)} )`, error);
}

function uuidText({ uuid }: CollectionInfo): string {
  return uuid.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
