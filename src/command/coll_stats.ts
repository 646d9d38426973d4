/** `collStats`: true numbers of one collection; the `$collStats` stage shows the same. */
import { type BsonWriter, BuiltDocument, type Document, DocumentBuilder, Int32 } from "../bson/mod.ts";
import {
  cappedLimits,
  type CollectionInfo,
  type CollectionStats,
  type ColumnSize,
  type Namespace,
  namespaceText,
  refuseView,
} from "../cluster/mod.ts";
import { type Arguments, checkFields, type FieldTable } from "./arguments.ts";
import type { Command, CommandCall } from "./command.ts";
import { indexesOf } from "./indexes.ts";
import { bucketsName, namespaceOf } from "./namespace.ts";
import { QueryWork } from "./operation.ts";
import { int64OrInt32 } from "./numbers.ts";
import { scaled, scaleOf } from "./scale.ts";

const FIELDS: FieldTable = { collStats: "any", scale: "number", columns: "flag" };

export const collStats: Command = {
  name: "collStats",
  aliases: ["collstats"],
  help:
    "statistics of a collection: {collStats: name, scale?, columns?: true reads all to tell what each takes}",
  run: runCollStats,
};

async function runCollStats(call: CommandCall, reply: BsonWriter): Promise<void> {
  const namespace = namespaceOf(call, "InvalidNamespace");
  checkFields(call.args, "collStats", FIELDS, () => true);
  const stats = await storageStats(call, namespace, call.args);
  reply.value("sharded", false);
  reply.value("ns", namespaceText(namespace));
  stats.names().forEach((name, i) => reply.value(name, stats.values()[i]));
}

/** Sizes and counts of a collection, zeros where there is none. @param options `scale` and `columns` */
export async function storageStats(
  call: CommandCall,
  namespace: Namespace,
  options: Arguments,
): Promise<Document> {
  const { router } = call.state.services;
  const scale = scaleOf(options);
  const info = router.collection(namespace);
  refuseView(info);
  const columns = info?.timeseries !== undefined && options.flag("columns")
    ? (await router.verify(namespace, false, new QueryWork(call.operation).checkpoint)).columns
    : undefined;
  const stats = router.stats(namespace);
  const limits = info && cappedLimits(info);
  const timeseries = info?.timeseries === undefined
    ? undefined
    : timeseriesStats(info, stats, scale, columns);
  return new DocumentBuilder()
    .append("size", scaled(stats.dataBytes, scale))
    .append("timeseries", timeseries)
    .append("count", int64OrInt32(stats.count))
    .append("avgObjSize", stats.count > 0 ? int64OrInt32(stats.dataBytes / stats.count) : undefined)
    .append("numOrphanDocs", Int32.of(0))
    .append("storageSize", scaled(stats.storageBytes, scale))
    .append("freeStorageSize", Int32.of(0))
    .append("capped", limits !== undefined)
    .append("max", limits && isFinite(limits.maxCount) ? int64OrInt32(limits.maxCount) : undefined)
    .append("maxSize", limits && scaled(limits.maxBytes, scale))
    .append("nindexes", Int32.of(info === undefined ? 0 : indexesOf(info).length))
    .append("indexSizes", info === undefined ? BuiltDocument.EMPTY : indexSizes(info, stats, scale))
    .append("totalIndexSize", scaled(stats.indexBytes, scale))
    .append("totalSize", scaled(stats.storageBytes + stats.indexBytes, scale))
    .append("scaleFactor", int64OrInt32(scale))
    .build();
}

/** MongoDB's words, filled with what is nearest: a series is what a bucket is for, and segments hold them. */
function timeseriesStats(
  info: CollectionInfo,
  stats: CollectionStats,
  scale: number,
  columns: readonly ColumnSize[] | undefined,
): Document {
  const series = stats.timeseries?.series ?? 0;
  const numbers = BuiltDocument.of({
    bucketsNs: `${info.db}.${bucketsName(info.collection)}`,
    bucketCount: int64OrInt32(series),
    avgBucketSize: scaled(series === 0 ? 0 : stats.dataBytes / series, scale),
    numMeasurementsCommitted: int64OrInt32(stats.count),
    series: int64OrInt32(series),
    segments: int64OrInt32(stats.timeseries?.segments ?? 0),
    memtableRows: int64OrInt32(stats.timeseries?.memtableRows ?? 0),
    memtableBytes: scaled(stats.timeseries?.memtableBytes ?? 0, scale),
    // What is in memory has no size on disk yet.
    compressionRatio: ratio(stats.dataBytes - (stats.timeseries?.memtableDataBytes ?? 0), stats.storageBytes),
  });
  if (columns === undefined) return numbers;
  const sizes = columns.map((column) => columnStats(column, scale));
  return new BuiltDocument([...numbers.names(), "columns"], [...numbers.values(), sizes]);
}

/** One column of the segments: the values as BSON without types and names, and what they take. */
function columnStats({ name, values, rawBytes, storedBytes }: ColumnSize, scale: number): Document {
  return BuiltDocument.of({
    name,
    values: int64OrInt32(values),
    rawBytes: scaled(rawBytes, scale),
    storedBytes: scaled(storedBytes, scale),
    compressionRatio: ratio(rawBytes, storedBytes),
  });
}

/** How many times smaller; 0 where nothing is stored. */
function ratio(rawBytes: number, storedBytes: number): number {
  return storedBytes === 0 ? 0 : rawBytes / storedBytes;
}

/** Where storage counts all indexes together, the first one carries their bytes. */
function indexSizes(info: CollectionInfo, stats: CollectionStats, scale: number): Document {
  const names = indexesOf(info).map((index) => String(index.get("name")));
  const { indexSizes, indexBytes } = stats;
  const sizes = names.map((name, i) =>
    indexSizes?.get(name) ?? (indexSizes === undefined && i === 0 ? indexBytes : 0)
  );
  return new BuiltDocument(names, sizes.map((bytes) => scaled(bytes, scale)));
}
