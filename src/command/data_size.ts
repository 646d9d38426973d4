/** `dataSize`: how many bytes the documents of a collection, or of a part of it, take as BSON. */
import { CommandError } from "../base/mod.ts";
import { aliasOfType, type BsonWriter, BuiltDocument, type Document, encodeDocument } from "../bson/mod.ts";
import { type Namespace, namespaceText, refuseView } from "../cluster/mod.ts";
import { parseFind } from "../query/mod.ts";
import type { Arguments } from "./arguments.ts";
import type { Command, CommandCall } from "./command.ts";
import { splitNamespace } from "./namespace.ts";
import { int64OrInt32 } from "./numbers.ts";
import { QueryWork } from "./operation.ts";

export const dataSize: Command = {
  name: "dataSize",
  aliases: ["datasize"],
  help:
    "data size of a collection: {dataSize: 'db.name', keyPattern?, min?, max?, estimate?, maxSize?, maxObjects?}",
  kind: "read",
  run: runDataSize,
};

interface Size {
  readonly bytes: number;
  readonly documents: number;
  /** Whether `maxSize` or `maxObjects` ended it. */
  readonly maxReached: boolean;
}

async function runDataSize(call: CommandCall, reply: BsonWriter): Promise<void> {
  const { args, state: { services: { router } }, operation } = call;
  const namespace = namespaceOf(call);
  const info = router.collection(namespace);
  refuseView(info);
  if (info?.timeseries !== undefined) {
    const text = `Namespace ${namespaceText(namespace)} is a timeseries collection`;
    throw new CommandError("CommandNotSupportedOnView", text);
  }
  const isEstimate = args.flag("estimate");
  const filter = rangeOf(args);
  if (info !== undefined) reply.value("estimate", isEstimate);
  const { bytes, documents, maxReached } = isEstimate || info === undefined
    ? estimated(call, namespace)
    : await measured(call, namespace, filter);
  if (maxReached) reply.value("maxReached", true);
  reply.value("size", int64OrInt32(bytes));
  reply.value("numObjects", int64OrInt32(documents));
  reply.value("millis", int64OrInt32(operation.elapsedMs()));
}

function namespaceOf({ args, name }: CommandCall): Namespace {
  const text = args.get(name);
  if (typeof text !== "string") {
    throw new CommandError("BadValue", `collection name has invalid type ${aliasOfType(args.type(name))}`);
  }
  const namespace = splitNamespace(text);
  if (namespace !== undefined) return namespace;
  throw new CommandError("InvalidNamespace", `Invalid namespace specified '${text}'`);
}

/** From `min` on, up to `max`, by the one field of the key. */
function rangeOf(args: Arguments): Document {
  const [min, max] = [args.document("min"), args.document("max")];
  if (min === undefined && max === undefined) return BuiltDocument.EMPTY;
  if (min === undefined || max === undefined) {
    const [there, missing] = min === undefined ? ["max", "min"] : ["min", "max"];
    throw new CommandError("BadValue", `${missing} must be set if ${there} is set`);
  }
  const [field = "_id", ...others] = (args.document("keyPattern") ?? min).names();
  if (others.length > 0) {
    throw new CommandError("NotImplemented", "dataSize between keys of many fields is not implemented");
  }
  const range = BuiltDocument.of({ $gte: min.get(field), $lt: max.get(field) });
  return BuiltDocument.of({ [field]: range });
}

function estimated(call: CommandCall, namespace: Namespace): Size {
  const { dataBytes, count } = call.state.services.router.stats(namespace);
  return { bytes: dataBytes, documents: count, maxReached: false };
}

async function measured(call: CommandCall, namespace: Namespace, filter: Document): Promise<Size> {
  const { args, state: { services: { router } } } = call;
  const maxBytes = args.integer("maxSize") || Infinity;
  const maxDocuments = args.integer("maxObjects") || Infinity;
  let bytes = 0;
  let documents = 0;
  const rows = router.query(namespace, parseFind({ filter }), new QueryWork(call.operation));
  for await (const batch of rows) {
    for (const document of batch) {
      bytes += encodeDocument(document).length;
      documents++;
      if (bytes > maxBytes || documents > maxDocuments) return { bytes, documents, maxReached: true };
    }
  }
  return { bytes, documents, maxReached: false };
}
