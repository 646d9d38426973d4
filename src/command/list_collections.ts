/** `listCollections`: names, types, options and ids, filtered, as a cursor. */
import { BuiltDocument, type Document, DocumentBuilder } from "../bson/mod.ts";
import type { BsonWriter } from "../bson/mod.ts";
import { type CollectionInfo, timeseriesFields } from "../cluster/mod.ts";
import { checkFields, type FieldTable } from "./arguments.ts";
import { batchSizeOf } from "./batch_size.ts";
import type { Command, CommandCall } from "./command.ts";
import { replyFirstBatch, rowsOf } from "./cursor_reply.ts";
import { filterDocuments } from "./filter_documents.ts";
import { isGenericArgument } from "./generic.ts";
import { idIndexOf } from "./indexes.ts";
import { bucketsName } from "./namespace.ts";

const FIELDS: FieldTable = {
  listCollections: "any",
  cursor: "object",
  filter: "object",
  nameOnly: "bool",
  authorizedCollections: "bool",
};
const READ_ONLY = BuiltDocument.of({ readOnly: true });
const READ_WRITE = BuiltDocument.of({ readOnly: false });

export const listCollections: Command = {
  name: "listCollections",
  help: "list collections for this db",
  stableApi: true,
  run: runListCollections,
};

async function runListCollections(call: CommandCall, reply: BsonWriter): Promise<void> {
  const { args, state, db } = call;
  checkFields(args, "listCollections", FIELDS, isGenericArgument);
  const batchSize = batchSizeOf(args, "listCollections");
  const entries = state.services.router.collections(db).flatMap(entriesOf);
  // With nameOnly, a filter sees no more than is shown.
  const shown = args.get("nameOnly") === true ? entries.map(nameAndType) : entries;
  await replyFirstBatch(call, reply, {
    namespace: `${db}.$cmd.listCollections`,
    rows: rowsOf(filterDocuments(shown, args.document("filter"))),
    batchSize: batchSize ?? Infinity,
  });
}

/** A time series shows as two entries, itself and its buckets, as in MongoDB 8.0. */
function entriesOf(info: CollectionInfo): readonly Document[] {
  if (info.view !== undefined) return [entry(info.collection, "view", info.options, READ_ONLY)];
  const identity = BuiltDocument.of({ readOnly: false, uuid: info.uuid });
  if (info.timeseries === undefined) {
    return [entry(info.collection, "collection", info.options, identity, idIndexOf(info))];
  }
  const bucketOptions = new DocumentBuilder()
    .append("clusteredIndex", true)
    .append("collation", info.options.get("collation"))
    .append("expireAfterSeconds", info.options.get("expireAfterSeconds"))
    .append("timeseries", BuiltDocument.of(timeseriesFields(info.timeseries)))
    .build();
  return [
    entry(info.collection, "timeseries", info.options, READ_WRITE),
    entry(bucketsName(info.collection), "collection", bucketOptions, identity),
  ];
}

function entry(name: string, type: string, options: Document, info: Document, idIndex?: Document): Document {
  return BuiltDocument.of({ name, type, options, info, idIndex });
}

function nameAndType(document: Document): Document {
  return BuiltDocument.of({ name: document.get("name"), type: document.get("type") });
}
