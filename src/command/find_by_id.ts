/**
 * A find of one document by its _id and nothing else, as applications ask most: it is answered from the collection at once,
 * without a plan, a chain of stages and a cursor. Whatever asks for more, or may be asked of something else than a plain
 * collection, is left to the way of all finds, which would answer the same.
 */
import {
  Binary,
  BsonType,
  type BsonWriter,
  Document,
  Int32,
  ObjectId,
  type RawDocument,
  Timestamp,
  UtcDate,
  type Value,
} from "../bson/mod.ts";
import { namespaceText } from "../cluster/mod.ts";
import { BY_ID } from "../query/mod.ts";
import type { Arguments } from "./arguments.ts";
import type { CommandCall } from "./command.ts";
import { isGenericArgument } from "./generic.ts";
import { namespaceToRead } from "./namespace.ts";

/** The fields of a find that change nothing where one document is all that there can be. */
const PLAIN: ReadonlySet<string> = new Set(["find", "filter", "limit", "batchSize", "singleBatch"]);
/** Its collections are not all stored. */
const CONFIG = "config";
const SYSTEM_PREFIX = "system.";

const PLAN = () => BY_ID;

/** Answers the command if it is such a find. @returns whether it is */
export function replyById(call: CommandCall, reply: BsonWriter): boolean {
  const id = askedId(call.args);
  if (id === undefined) return false;
  const namespace = namespaceToRead(call);
  if (namespace.db === CONFIG || namespace.collection.startsWith(SYSTEM_PREFIX)) return false;
  const { operation, state: { services } } = call;
  operation.check();
  const found = services.router.findById(namespace, id, operation);
  if (found === undefined) return false;
  const counters = { rowsRead: 0, keysRead: 0 };
  operation.countIn({ counters, plan: PLAN });
  if (found.document !== undefined) counters.rowsRead++;
  writeCursor(reply, namespaceText(namespace), found.document, call.atClusterTime);
  return true;
}

/** The _id that a find asks for; undefined where it asks for anything else, or says anything that has to be checked. */
function askedId(args: Arguments): Value {
  for (const name of args.names()) if (!PLAIN.has(name) && !isGenericArgument(name)) return undefined;
  const filter = args.get("filter");
  if (!(filter instanceof Document) || !isOneBatch(args)) return undefined;
  const names = filter.names();
  if (names.length !== 1 || names[0] !== "_id") return undefined;
  const id = filter.get("_id");
  return isPlain(id) ? id : undefined;
}

/** Whether the first batch is the last, as far as one document goes. */
function isOneBatch(args: Arguments): boolean {
  const limit = smallInteger(args.get("limit"));
  const batchSize = smallInteger(args.get("batchSize"));
  const single = args.get("singleBatch");
  if (limit === undefined || batchSize === undefined || (single !== undefined && single !== true)) {
    return false;
  }
  return args.offset("batchSize") === undefined || (batchSize > 0 && (limit === 1 || single === true));
}

/** An int32 from 0 on; 0 where there is none, undefined for anything else. */
function smallInteger(value: Value): number | undefined {
  if (value === undefined) return 0;
  return value instanceof Int32 && value.value >= 0 ? value.value : undefined;
}

/** Whether a value as a condition means itself, and has one key in the index. */
function isPlain(value: Value): boolean {
  return value instanceof ObjectId || typeof value === "string" || value instanceof Int32 ||
    typeof value === "bigint" || value instanceof UtcDate || value instanceof Binary ||
    (typeof value === "number" && Number.isFinite(value));
}

/** As `replyFirstBatch` answers of a cursor that is at its end. */
function writeCursor(
  reply: BsonWriter,
  namespace: string,
  found: RawDocument | undefined,
  atClusterTime: bigint | undefined,
): void {
  reply.header(BsonType.Object, "cursor");
  const cursor = reply.beginDocument();
  reply.value("firstBatch", found === undefined ? [] : [found]);
  reply.value("id", 0n);
  reply.value("ns", namespace);
  if (atClusterTime !== undefined) reply.value("atClusterTime", new Timestamp(atClusterTime));
  reply.endDocument(cursor);
}
