/**
 * Values that options of the command line may have. They stand here, and not in the rooms that use them, since the isolate
 * that reads the command line must not load those.
 */

/** What `--block-compressor` may be. */
export const BLOCK_COMPRESSORS = ["zstd", "lz4", "none"] as const;
export type BlockCompressor = typeof BLOCK_COMPRESSORS[number];

/** Server parameters that `--set-parameter` may set. */
export const START_PARAMETERS: readonly string[] = [
  "enableTestCommands",
  "transactionLifetimeLimitSeconds",
  "ttlMonitorEnabled",
  "ttlMonitorSleepSecs",
];
