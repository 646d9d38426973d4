/** What every room may use: invariants, errors, limits, checksums, the log, seeded randomness. Knows nothing else. */
export { assert, AssertionError, unreachable } from "./assert.ts";
export { crc32, crc32c } from "./crc32.ts";
export { ErrorCode, type ErrorCodeName } from "./error_codes.ts";
export { codeNameOf, CommandError, CorruptionError, type ErrorCodeLike } from "./errors.ts";
export * from "./limits.ts";
export { LOG_LEVELS, type LogFields, Logger, type LogLevel, type LogSink, SILENT_LOGGER } from "./logger.ts";
export { noteLongWork, takeLongWork } from "./long_work.ts";
export { MemoryBudget, type MemoryLease } from "./memory_budget.ts";
export { type Random, seededRandom } from "./random.ts";
export { BLOCK_COMPRESSORS, type BlockCompressor, START_PARAMETERS } from "./start_values.ts";
