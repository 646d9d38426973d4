/** `dbHash`: MD5 sums of the documents of a database's regular collections, in order of _id, as MongoDB makes them. */
import { createHash } from "node:crypto";
import { CommandError } from "../base/mod.ts";
import { type BsonWriter, BuiltDocument, encodeDocument, Int32, isArray, type Value } from "../bson/mod.ts";
import { cappedLimits, type CollectionInfo } from "../cluster/mod.ts";
import { parseFind } from "../query/mod.ts";
import type { Command, CommandCall } from "./command.ts";
import { int64OrInt32 } from "./numbers.ts";
import { QueryWork } from "./operation.ts";

const BY_ID = BuiltDocument.of({ _id: Int32.of(1) });

export const dbHash: Command = {
  name: "dbHash",
  aliases: ["dbhash"],
  help: "sums of the documents of a database: {dbHash: 1, collections?: [name, …]}",
  kind: "read",
  run: runDbHash,
};

async function runDbHash(call: CommandCall, reply: BsonWriter): Promise<void> {
  const { state: { services }, operation, db } = call;
  const wanted = collectionsAsked(call);
  const infos = services.router.collections(db).filter((info) =>
    info.timeseries === undefined && info.view === undefined &&
    (wanted === undefined || wanted.has(info.collection))
  );
  const all = createHash("md5");
  const sums: Record<string, Value> = {};
  for (const info of infos) {
    const sum = await sumOf(call, info);
    sums[info.collection] = sum;
    all.update(sum);
  }
  reply.value("host", `${services.host.hostname}:${services.port}`);
  reply.value("collections", BuiltDocument.of(sums));
  reply.value("capped", infos.filter(isCapped).map(({ collection }) => collection));
  reply.value(
    "uuids",
    BuiltDocument.of(Object.fromEntries(infos.map((info) => [info.collection, info.uuid]))),
  );
  reply.value("md5", all.digest("hex"));
  reply.value("timeMillis", int64OrInt32(operation.elapsedMs()));
}

function collectionsAsked({ args }: CommandCall): ReadonlySet<string> | undefined {
  const names = args.get("collections");
  if (names === undefined) return undefined;
  if (isArray(names) && names.every((name) => typeof name === "string")) return new Set(names);
  throw new CommandError("BadValue", "collections must be an array of names");
}

function isCapped(info: CollectionInfo): boolean {
  return cappedLimits(info) !== undefined;
}

/** In the order of a capped collection, which is the same on every node, else by _id. */
async function sumOf(call: CommandCall, info: CollectionInfo): Promise<string> {
  const sum = createHash("md5");
  const pipeline = parseFind(isCapped(info) ? {} : { sort: BY_ID });
  const rows = call.state.services.router.query(info, pipeline, new QueryWork(call.operation));
  for await (const batch of rows) {
    for (const document of batch) sum.update(encodeDocument(document));
  }
  return sum.digest("hex");
}
