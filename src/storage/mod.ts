/** One shard on one disk: the log, time-series tables, regular collections. */
export { type AppendOptions, Log, type LogOptions } from "./log/log.ts";
export { type EntryHeader, type LogRecord } from "./log/record.ts";
export { type OnRecord } from "./log/replay.ts";
export { DEFAULT_LOG_SIZES, type LogSizes } from "./log/log_files.ts";
export { type DocumentScanRequest, type DocumentStats, DocumentStore } from "./documents/document_store.ts";
export { duplicateKeyError } from "./documents/duplicate_key.ts";
export { type TableOptions } from "./timeseries/manifest.ts";
export { type PreparedInsert } from "./timeseries/measurement.ts";
export { type TimeseriesCounters, type TimeseriesScan } from "./timeseries/scan.ts";
export { type TableStats } from "./timeseries/table.ts";
export { TimeseriesStore, type TimeseriesStoreOptions } from "./timeseries/timeseries_store.ts";
