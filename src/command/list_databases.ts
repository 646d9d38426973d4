/** `listDatabases`: names and sizes, filtered. */
import { BsonType, type BsonWriter, BuiltDocument, type Document } from "../bson/mod.ts";
import type { Router } from "../cluster/mod.ts";
import { checkFields, type FieldTable } from "./arguments.ts";
import type { Command, CommandCall } from "./command.ts";
import { filterDocuments } from "./filter_documents.ts";
import { isGenericArgument } from "./generic.ts";
import { int64 } from "./numbers.ts";

const FIELDS: FieldTable = {
  listDatabases: "any",
  filter: "object",
  nameOnly: "flag",
  authorizedDatabases: "bool",
};
const MEBIBYTE = 1024 * 1024;

export const listDatabases: Command = {
  name: "listDatabases",
  help: "list databases of this deployment",
  adminOnly: true,
  stableApi: true,
  run: runListDatabases,
};

function runListDatabases(call: CommandCall, reply: BsonWriter): void {
  const { args } = call;
  checkFields(args, "listDatabases", FIELDS, isGenericArgument);
  const { router } = call.state.services;
  const nameOnly = args.flag("nameOnly");
  // A filter sees no more than is shown.
  const all = router.databaseNames().map((name) =>
    nameOnly ? BuiltDocument.of({ name }) : databaseEntry(router, name)
  );
  const matching = filterDocuments(all, args.document("filter"));
  reply.header(BsonType.Array, "databases");
  const array = reply.beginDocument();
  matching.forEach((entry, i) => reply.value(String(i), entry));
  reply.endDocument(array);
  if (nameOnly) return;
  const totalBytes = matching.reduce((sum, entry) => sum + Number(entry.get("sizeOnDisk")), 0);
  reply.value("totalSize", int64(totalBytes));
  reply.value("totalSizeMb", int64(totalBytes / MEBIBYTE));
}

function databaseEntry(router: Router, db: string): Document {
  let bytes = 0;
  for (const info of router.collections(db)) {
    const stats = router.stats(info);
    bytes += stats.storageBytes + stats.indexBytes;
  }
  return BuiltDocument.of({ name: db, sizeOnDisk: int64(bytes), empty: false });
}
