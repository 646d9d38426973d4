/** All limits in one place. Sizes in bytes, times in milliseconds, unless the name says otherwise. */

const KIB = 1024;
const MIB = 1024 * KIB;

/** The largest document a client may store (MongoDB's `maxBsonObjectSize`). */
export const MAX_DOCUMENT_BYTES = 16 * MIB;
/** What the server itself may put around a document: a reply may be this much larger. */
export const MAX_INTERNAL_DOCUMENT_BYTES = MAX_DOCUMENT_BYTES + 16 * KIB;
/** Bytes of the values that a distinct answers with (MongoDB's `kMaxResponseSize`). */
export const MAX_DISTINCT_BYTES = MAX_DOCUMENT_BYTES - 4 * KIB;
/** Documents that are being written grow no further than this (MongoDB's `BufferMaxSize`). */
export const MAX_BUFFER_BYTES = 64 * MIB;
/** The largest message on the wire (MongoDB's `maxMessageSizeBytes`). */
export const MAX_MESSAGE_BYTES = 48_000_000;
/** Statements in one write command (MongoDB's `maxWriteBatchSize`). */
export const MAX_WRITE_BATCH = 100_000;
/** Levels of nesting in a document that MongoDB accepts from a client. */
export const MAX_BSON_DEPTH = 200;
/** Levels of nesting in a document that is stored, itself being the first. */
export const MAX_STORED_DEPTH = 180;
/** Empty elements that an update may put before the one that it makes (MongoDB's limit). */
export const MAX_ARRAY_BACKFILL = 1_500_000;
/** Bytes of a namespace, `db.collection`. */
export const MAX_NAMESPACE_BYTES = 255;
/** Client connections at once. */
export const MAX_CONNECTIONS = 20_000;
/** Requests of one connection that may wait while one runs; beyond it, reading stops. */
export const MAX_PIPELINED_REQUESTS = 128;
/** Bytes of such waiting requests, of which the last may pass it. */
export const MAX_PIPELINED_BYTES = 16 * MIB;
/** An operation that takes longer is a slow one to the profiler when nobody says otherwise (MongoDB's `slowms`). */
export const SLOW_OPERATION_MS = 100;
/** Documents that a TTL index lets go in one write; others write in between. */
export const MAX_EXPIRED_AT_ONCE = 1000;
/** What a stopping server grants its running commands. */
export const SHUTDOWN_GRACE_MS = 10_000;

/** Documents in a first batch when the client names no batch size. */
export const DEFAULT_BATCH_SIZE = 101;
/** Bytes of documents in one reply's batch, as MongoDB counts them. */
export const MAX_BATCH_BYTES = MAX_DOCUMENT_BYTES;
/** … and of one whose size the client leaves to us: what stays in a processor's cache is copied faster than 16 MB are. */
export const FREE_BATCH_BYTES = 4 * MIB;
/** An idle cursor is closed after this. */
export const CURSOR_TIMEOUT_MS = 10 * 60_000;
/** A cursor that waits for more looks no more often than this. */
export const TAIL_PAUSE_MS = 5;
/** Open cursors in all. */
export const MAX_CURSORS = 100_000;
/** An idle logical session ends after this. */
export const SESSION_TIMEOUT_MINUTES = 30;
/** A client's cluster time may be ahead of the wall clock by this (MongoDB's `maxAcceptableLogicalClockDriftSecs`). */
export const MAX_CLOCK_DRIFT_SECONDS = 31_536_000;
/** Namespaces whose latencies are counted apart. */
export const MAX_COUNTED_NAMESPACES = 10_000;
/** A transaction may take so long, unless `transactionLifetimeLimitSeconds` says otherwise. */
export const TRANSACTION_LIFETIME_SECONDS = 60;
/** What a transaction may have written, as a share of the memory that is counted; and all earlier versions together. */
export const TRANSACTION_SHARE = 1 / 8;
/** A snapshot that was read outside of transactions can be read again for so long after its last use. */
export const SNAPSHOT_LIFETIME_MS = 60_000;
/** Such snapshots at once. */
export const MAX_SNAPSHOTS = 64;
/** Logical sessions at once. */
export const MAX_SESSIONS = 1_000_000;

/** Stages of one pipeline (MongoDB's `internalPipelineLengthLimit`). */
export const MAX_PIPELINE_STAGES = 1000;
/** What a blocking stage may hold without spilling (MongoDB's 100 MB rule). */
export const MAX_BLOCKING_STAGE_BYTES = 100 * MIB;
/** Items of an array that `$concatArrays` makes: no document holds a fifth of them. */
export const MAX_JOINED_ITEMS = 1 << 24;
/** Windows that `fill` of `$timeWindow` makes in one run, as many as `$densify` may. */
export const MAX_FILLED_WINDOWS = 500_000;
/** Bytes of a spilled file that are read and written at once. */
export const SPILL_CHUNK_BYTES = 128 * KIB;
/** Rows that are held are copied side by side into buffers of this size. */
export const ROW_COPY_CHUNK_BYTES = 64 * KIB;
/** Spilled runs that are merged at once. */
export const SPILL_FAN_IN = 16;
/** Documents that one `$densify` may make (MongoDB's `internalQueryMaxAllowedDensifyDocs`). */
export const MAX_DENSIFIED_DOCUMENTS = 500_000;
/**
 * Ways that a search for a pattern may try in vain from one start, where it cannot remember them: MongoDB's PCRE gives up after so
 * many calls, of which each such way is one.
 */
export const MAX_PATTERN_WAYS = 200_000;
/** Times that a search for a pattern may go back and try another way, from all its starts. */
export const MAX_PATTERN_STEPS = 2_500_000;
/** Views that may stand on one another (MongoDB's `ViewGraph::kMaxViewDepth`). */
export const MAX_VIEW_DEPTH = 20;
/** How long work may keep the event loop before it yields. */
export const YIELD_AFTER_MS = 5;
/** Documents that flow through a pipeline at once. */
export const PIPELINE_BATCH_ROWS = 1024;
/** Documents that a stage makes of what it holds at once: so few that the collector of young objects finds few of them alive. */
export const MADE_BATCH_ROWS = 64;

/** A log file is full at this size; a single larger record makes it larger. */
export const LOG_FILE_BYTES = 16 * MIB;
/** A log file grows in zero-filled steps of this size. */
export const LOG_CHUNK_BYTES = MIB;
/** Log files that were cut and are kept to be used again. */
export const MAX_SPARE_LOG_FILES = 4;
/** Log files that were cut stay readable for so long, in so many bytes, unless `--log-retention` says otherwise. */
export const DEFAULT_LOG_RETENTION = { bytes: 64 * MIB, ms: 3_600_000 } as const;
/** How often it is looked whether one of them has become too old. */
export const LOG_RETENTION_INTERVAL_MS = 60_000;
/** Documents of regular collections that are logged as one entry; what passes it goes on in the next one. */
export const MAX_DOCUMENT_ENTRY_BYTES = 4 * MIB;
/** Measurements of one insert that are logged and applied at once, beyond one row. */
export const INSERT_PIECE_BYTES = MIB;
/**
 * New measurements and identities of old ones that one statement logs as one entry; beyond, it takes several. A share of
 * what is counted of the memory, within bounds.
 */
export const CHANGE_ENTRY_SHARE = 1 / 8;
export const MIN_CHANGE_ENTRY_BYTES = MIB;
export const MAX_CHANGE_ENTRY_BYTES = 48 * MIB;
/** With `interval` durability, a sync follows a write after this. */
export const LOG_SYNC_INTERVAL_MS = 100;

/** Time between two passes of retention. */
export const RETENTION_INTERVAL_MS = 60_000;
/** The log does not get longer than this, but for what is being written: it bounds the time to open. */
export const MAX_LOG_TAIL_BYTES = 256 * MIB;
/** A checkpoint that cuts the log begins at this length; what is left to the limit is for writers meanwhile. */
export const LONG_LOG_BYTES = MAX_LOG_TAIL_BYTES / 2;

/** HTTP requests that run get this long to end when the node stops. */
export const HTTP_STOP_GRACE_MS = 1000;

/** Columns of one memtable or row group; rarer fields share one of them, the remainder. */
export const MAX_TABLE_COLUMNS = 1000;
/** Levels of documents in documents that become columns of their own; deeper ones are one value. */
export const MAX_SHREDDED_DEPTH = 8;
/** Fields in the shapes of one memtable, over all its rows; what has no place among them goes to the remainder. */
export const MAX_SHAPE_PLACES = 32_768;
/** What the inverted indexes on the metas of all tables of a VNode hold together. */
export const MAX_POSTINGS_BYTES = 64 * MIB;
/** As much for the values of metas that are grouped by. */
export const MAX_META_COLUMN_BYTES = 64 * MIB;
/** Rows of one page of a column, and of a row group. */
export const PAGE_ROWS = 4096;
export const ROW_GROUP_ROWS = 16 * PAGE_ROWS;
/** Rows of a merged row group as BSON, about; the last row may pass it. */
export const MAX_ROW_GROUP_BYTES = 32 * MIB;
/** What of the counted memory a page of a merged row group may take, and what it may always take. */
export const MERGED_PAGE_SHARE = 1 / 4;
export const MIN_MERGED_PAGE_BYTES = 4 * MIB;

/** The process's resident memory (`--memory-limit`), unless told otherwise, and the least that it can run in. */
export const DEFAULT_MEMORY_LIMIT_BYTES = 1024 * MIB;
export const MIN_MEMORY_LIMIT_BYTES = 192 * MIB;
/** What is counted of a process's memory in a store that is opened without a budget, as tests do. */
export const DEFAULT_MEMORY_BUDGET_BYTES = 512 * MIB;
/** What a process takes beyond its base as soon as it works, whatever it counts. */
export const UNCOUNTED_MEMORY_BYTES = 48 * MIB;
/** What is counted, however little memory there is. */
export const MIN_MEMORY_BUDGET_BYTES = 8 * MIB;
/** What of the memory above both is counted; the rest is for garbage, fragments and copies. */
export const MEMORY_BUDGET_SHARE = 0.4;
/** Shares of what is counted. Two memtables may be full at once: one fills while the other is flushed. */
export const MEMTABLE_SHARE = 0.2;
export const PAGE_CACHE_SHARE = 0.25;
export const BLOCKING_STAGE_SHARE = 0.2;
export const MESSAGE_SHARE = 0.2;
/** Messages up to this size are never waited for to make room: a `hello`, a query, a `getMore`. */
export const SMALL_MESSAGE_BYTES = 16 * KIB;
export const BATCH_SHARE = 1 / 16;
/** Memtables are flushed at this size, however much memory there is. */
export const MAX_MEMTABLE_BYTES = 64 * MIB;
/** A batch of a reply may have this many bytes, however little memory there is. */
export const MIN_BATCH_BYTES = MIB;
/** How often the process looks at its own memory. */
export const MEMORY_LOOK_INTERVAL_MS = 50;
/** Buffers that may have become garbage before the young ones are collected: the larger of a size and a share of the limit. */
export const YOUNG_GARBAGE_BYTES = 8 * MIB;
export const YOUNG_GARBAGE_SHARE = 1 / 32;
/** Heap and buffers that may have become garbage, where memory gets less, before all of it is collected. */
export const OLD_GARBAGE_BYTES = 8 * MIB;

/** Segment files that are open at once; beside them, those without a name that a query still reads. */
export const MAX_OPEN_SEGMENT_FILES = 256;
/** Segments of one size that are merged into a larger one, and how much larger the next size is. */
export const COMPACTION_FANOUT = 4;
/** Segments up to this are of the smallest size. */
export const SMALL_SEGMENT_BYTES = MIB;
/** Flushed segments that may wait for the larger rest of level 0 to be merged with. */
export const MAX_FLUSHED_SEGMENTS = 12;
/** Flushed segments up to which a compaction leaves others their usual turns. */
export const FLUSHES_BEHIND_AT_EASE = 8;
/** What level 0 has of a partition stays there while it is less. */
export const LEAST_PARTITION_PUSH_BYTES = 256 * KIB;
/** Partitions that one compaction writes to. */
export const MAX_PARTITIONS_AT_ONCE = 256;
/** A partition of this size ends where its rows end, when later ones come; neighbours below half of it become one. */
export const FULL_PARTITION_BYTES = 64 * MIB;
/** A partition beyond this is cut. */
export const MAX_PARTITION_BYTES = 256 * MIB;
/** The least span of time of a partition. */
export const LEAST_PARTITION_MS = 3_600_000;
