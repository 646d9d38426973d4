/** Where data lives and how it is reached: the catalog, the router, the VNodes. */
export {
  type CollectionInfo,
  type Namespace,
  namespaceText,
  type TimeseriesOptions,
  type ViewDefinition,
} from "./catalog.ts";
export { type ChangeEvent } from "./change_stream/change_event.ts";
export { ChangeFeed, type ChangeFeedOptions, type FeedPiece } from "./change_stream/change_feed.ts";
export { fragmentToken, parseToken, type Position, tokenData, tokenOf } from "./change_stream/position.ts";
export { type Scope } from "./change_stream/scope.ts";
export { ClusterClock, type ClusterTime, secondsOf, timeOf, wallMsOf } from "./cluster_clock.ts";
export { type Granularity, SPAN_SECONDS, timeseriesFields, timeseriesSpecOf } from "./timeseries_spec.ts";
export { cappedLimits, type CollectionTail } from "./capped.ts";
export { clusteredIndexOf } from "./clustered.ts";
export { indexesOf } from "./indexes.ts";
export { checkViewCycle, refuseView, resolveView } from "./views.ts";
export { checkDataFolder, type CheckSummary } from "./check.ts";
export { type WithCopy } from "./check_stores.ts";
export { type CheckListener, counted } from "./check_report.ts";
export { type CatalogContent, readCatalogFile } from "./inspect_catalog.ts";
export { entryText } from "./entry_text.ts";
export { masksText } from "./masks_text.ts";
export { DataFolderError } from "./data_folder.ts";
export { Node, type NodeOptions, type NodeSummary } from "./node.ts";
export {
  type CollectionSpec,
  type CollectionStats,
  type InsertOptions,
  type InsertResult,
  type RetentionCounts,
  type RetentionSettings,
  type Router,
  type Verification,
} from "./router.ts";
export { endsWithCommit, resultOf, type TransactionName } from "./retryable_write.ts";
export { Transaction } from "./transaction.ts";
export {
  type ColumnSize,
  type DoneStatements,
  type IndexVerification,
  type LogRetention,
  type SessionHistory,
  shownDocument,
} from "../storage/mod.ts";
export {
  type DeleteStatement,
  type RetryableWrite,
  type StatementResult,
  type UpdateStatement,
  type WriteOptions,
  type WriteStatement,
} from "./write_statement.ts";
