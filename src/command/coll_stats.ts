/** `collStats`: true numbers of one collection; the `$collStats` stage shows the same. */
import { type BsonWriter, BuiltDocument, type Document, DocumentBuilder, Int32 } from "../bson/mod.ts";
import {
  type CollectionInfo,
  type CollectionStats,
  type Namespace,
  namespaceText,
  type Router,
} from "../cluster/mod.ts";
import { checkFields, type FieldTable } from "./arguments.ts";
import type { Command, CommandCall } from "./command.ts";
import { indexesOf } from "./indexes.ts";
import { bucketsName, namespaceOf } from "./namespace.ts";
import { int64OrInt32 } from "./numbers.ts";
import { scaled, scaleOf } from "./scale.ts";

const FIELDS: FieldTable = { collStats: "any", scale: "number" };

export const collStats: Command = {
  name: "collStats",
  aliases: ["collstats"],
  help: "statistics of a collection: {collStats: name, scale?}",
  run: runCollStats,
};

function runCollStats(call: CommandCall, reply: BsonWriter): void {
  const namespace = namespaceOf(call, "InvalidNamespace");
  checkFields(call.args, "collStats", FIELDS, () => true);
  reply.value("sharded", false);
  reply.value("ns", namespaceText(namespace));
  const stats = storageStats(call.state.services.router, namespace, scaleOf(call.args));
  stats.names().forEach((name, i) => reply.value(name, stats.values()[i]));
}

/** Sizes and counts of a collection, zeros where there is none. @param scale what sizes are divided by */
export function storageStats(router: Router, namespace: Namespace, scale: number): Document {
  const info = router.collection(namespace);
  const stats = router.stats(namespace);
  const isTimeseries = info?.timeseries !== undefined;
  return new DocumentBuilder()
    .append("size", scaled(stats.dataBytes, scale))
    .append("timeseries", isTimeseries ? timeseriesStats(info, stats, scale) : undefined)
    .append("count", int64OrInt32(stats.count))
    .append("avgObjSize", stats.count > 0 ? int64OrInt32(stats.dataBytes / stats.count) : undefined)
    .append("numOrphanDocs", Int32.of(0))
    .append("storageSize", scaled(stats.storageBytes, scale))
    .append("freeStorageSize", Int32.of(0))
    .append("capped", false)
    .append("nindexes", Int32.of(info === undefined ? 0 : indexesOf(info).length))
    .append("indexSizes", info === undefined ? BuiltDocument.EMPTY : indexSizes(info, stats, scale))
    .append("totalIndexSize", scaled(stats.indexBytes, scale))
    .append("totalSize", scaled(stats.storageBytes + stats.indexBytes, scale))
    .append("scaleFactor", int64OrInt32(scale))
    .build();
}

/** MongoDB's words, filled with what is nearest: a series is what a bucket is for, and segments hold them. */
function timeseriesStats(info: CollectionInfo, stats: CollectionStats, scale: number): Document {
  const series = stats.timeseries?.series ?? 0;
  return BuiltDocument.of({
    bucketsNs: `${info.db}.${bucketsName(info.collection)}`,
    bucketCount: int64OrInt32(series),
    avgBucketSize: scaled(series === 0 ? 0 : stats.dataBytes / series, scale),
    numMeasurementsCommitted: int64OrInt32(stats.count),
    series: int64OrInt32(series),
    segments: int64OrInt32(stats.timeseries?.segments ?? 0),
    memtableRows: int64OrInt32(stats.timeseries?.memtableRows ?? 0),
    memtableBytes: scaled(stats.timeseries?.memtableBytes ?? 0, scale),
  });
}

/** The first index carries the bytes of all: storage counts them together. */
function indexSizes(info: CollectionInfo, stats: CollectionStats, scale: number): Document {
  const names = indexesOf(info).map((index) => String(index.get("name")));
  return new BuiltDocument(names, names.map((_, i) => scaled(i === 0 ? stats.indexBytes : 0, scale)));
}
