/** One shard on one disk: the log, time-series tables, regular collections. */
export { type AppendOptions, Log, type LogOptions } from "./log/log.ts";
export { type EntryHeader, type LogRecord } from "./log/record.ts";
export { firstIndexes } from "./log/file_start.ts";
export { keptRun, type LogRetention } from "./log/kept_files.ts";
export { listFiles as listLogFiles, logPath } from "./log/log_file.ts";
export { type FollowedPiece, LogFollower } from "./log/log_follower.ts";
export { LogReader, type LogReading } from "./log/log_reader.ts";
export { type OnRecord, replay as replayLog, replayKept } from "./log/replay.ts";
export { type LogFileContent, type PlacedRecord, readLogFile } from "./log/read_log_file.ts";
export { DEFAULT_LOG_SIZES, type LogSizes } from "./log/log_files.ts";
export { type CollectionLimits } from "./documents/collection_limits.ts";
export { DocumentStore } from "./documents/document_store.ts";
export type { StoreWriter } from "./documents/store_writer.ts";
export { checkDocuments, type DocumentsReport } from "./documents/check_documents.ts";
export { type StoredRow } from "./documents/stored_row.ts";
export { documentOf } from "./documents/packed_rows.ts";
export { type DocumentStats } from "./documents/document_inspector.ts";
export {
  type DocumentScanRequest,
  guardedBatches,
  type IndexOrder,
  type ScanOrder,
} from "./documents/collection_scan.ts";
export {
  decodeDone,
  type DoneStatements,
  encodeDone,
  laterHistory,
  type SessionHistory,
} from "./documents/done_statements.ts";
export { decodeEffects, type Effect, EffectBuffer } from "./documents/effect.ts";
export { type FieldChange } from "./documents/field_change.ts";
export { duplicateKeyError, shownDocument, type TakenKey } from "./documents/duplicate_key.ts";
export { ID_INDEX_NAME } from "./documents/id_index.ts";
export { DocumentTransaction, type OwnEffect } from "./documents/document_transaction.ts";
export { type StoreEntry } from "./documents/entry_buffer.ts";
export { writeConflict } from "./documents/write_conflict.ts";
export { type IndexDefinition, indexDefinition } from "./documents/index_definition.ts";
export { coversPath, type Wildcard } from "./documents/wildcard_keys.ts";
export { type BuildProgress, type IndexState } from "./documents/index_tables.ts";
export {
  type Change,
  Manifest,
  type ManifestContent,
  readManifestFile,
  type TableOptions,
} from "./timeseries/manifest.ts";
export { maskFileName, readMaskFile, type SegmentMasks } from "./timeseries/mask_file.ts";
export { countOfInsert, documentsOfInsert } from "./timeseries/insert_payload.ts";
export { documentsFrom, type PreparedBatch, type PreparedInsert } from "./timeseries/measurement.ts";
export { type Pace, pacer } from "./timeseries/pacer.ts";
export { partitionOf } from "./timeseries/partition.ts";
export type { TimeseriesCounters, TimeseriesScan } from "./timeseries/scan_request.ts";
export { type TableStats } from "./timeseries/table.ts";
export { type ChangeScan, type PlacedRow, TableChange } from "./timeseries/table_change.ts";
export { decodeChange } from "./timeseries/change_payload.ts";
export { type StoreView } from "./timeseries/store_view.ts";
export type { TimeseriesStoreOptions } from "./timeseries/store_options.ts";
export { TimeseriesStore } from "./timeseries/timeseries_store.ts";
export { SERIES_FILE, SeriesFile } from "./timeseries/series_file.ts";
export { SeriesIndex } from "./timeseries/series_index.ts";
export {
  type Damage,
  type PageReport,
  type RowGroupReport,
  type SegmentReport,
  verifySegment,
} from "./timeseries/verify_segment.ts";
export { type IndexVerification } from "./documents/verify_indexes.ts";
export { type ColumnSize, type TableVerification } from "./timeseries/verify_table.ts";
