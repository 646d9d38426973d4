/** `dbStats`: true numbers of one database. */
import { CommandError } from "../base/mod.ts";
import { type BsonWriter, Int32, isNumber } from "../bson/mod.ts";
import { checkFields, type FieldTable, numberOf } from "./arguments.ts";
import type { Command, CommandCall } from "./command.ts";
import { indexesOf } from "./indexes.ts";
import { int64OrInt32 } from "./numbers.ts";

const FIELDS: FieldTable = { dbStats: "any", freeStorage: "any" };

export const dbStats: Command = {
  name: "dbStats",
  aliases: ["dbstats"],
  help: "statistics of a database: {dbStats: 1, scale?, freeStorage?}",
  run: runDbStats,
};

function runDbStats(call: CommandCall, reply: BsonWriter): void {
  checkFields(call.args, "dbStats", FIELDS, () => true);
  const scale = parseScale(call);
  const totals = totalsOf(call);
  // MongoDB shows doubles, and of a database that is not there the zeros that nobody set.
  const exists = totals.collections > 0;
  const scaled = (bytes: number) => exists ? bytes / scale : Int32.of(0);
  reply.value("db", call.db);
  reply.value("collections", Int32.of(totals.collections));
  reply.value("views", Int32.of(totals.views));
  reply.value("objects", int64OrInt32(totals.objects));
  reply.value("avgObjSize", totals.objects === 0 ? Int32.of(0) : totals.dataBytes / totals.objects);
  reply.value("dataSize", scaled(totals.dataBytes));
  reply.value("storageSize", scaled(totals.storageBytes));
  if (call.args.flag("freeStorage")) {
    reply.value("freeStorageSize", 0);
    reply.value("indexFreeStorageSize", 0);
    reply.value("totalFreeStorageSize", 0);
  }
  reply.value("indexes", Int32.of(totals.indexes));
  reply.value("indexSize", scaled(totals.indexBytes));
  reply.value("totalSize", scaled(totals.storageBytes + totals.indexBytes));
  reply.value("scaleFactor", int64OrInt32(scale));
  const disk = call.state.services.diskUsage();
  reply.value("fsUsedSize", scaled(disk.usedBytes));
  reply.value("fsTotalSize", scaled(disk.totalBytes));
}

function totalsOf(call: CommandCall) {
  const { router } = call.state.services;
  const totals = {
    collections: 0,
    views: 0,
    objects: 0,
    dataBytes: 0,
    storageBytes: 0,
    indexes: 0,
    indexBytes: 0,
  };
  for (const info of router.collections(call.db)) {
    if (info.view !== undefined) {
      totals.views++;
      continue;
    }
    const stats = router.stats(info);
    totals.collections++;
    if (info.timeseries !== undefined) totals.views++;
    totals.objects += stats.count;
    totals.dataBytes += stats.dataBytes;
    totals.storageBytes += stats.storageBytes;
    totals.indexes += indexesOf(info).length;
    totals.indexBytes += stats.indexBytes;
  }
  return totals;
}

function parseScale(call: CommandCall): number {
  const value = call.args.get("scale");
  if (value === undefined) return 1;
  if (!isNumber(value)) throw new CommandError("BadValue", "scale has to be a number > 0");
  const scale = Math.trunc(numberOf(value));
  if (!(scale > 0)) throw new CommandError("BadValue", "scale has to be > 0");
  return scale;
}
