/** What a store of time series is opened with. */
import type { Logger, MemoryBudget } from "../../base/mod.ts";
import type { Clock, Disk } from "../../io/mod.ts";
import type { PartitionSizes } from "./partition_cuts.ts";

export interface TimeseriesStoreOptions {
  readonly disk: Disk;
  /** Where the store's files are; made if need be. */
  readonly directory: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Memtables are due to be flushed once they hold this; by default a share of the memory. */
  readonly memtableBytes?: number;
  /** The first record that the log still has: a store that misses any before it is refused, and nothing of it removed. */
  readonly logStart?: number;
  /** Where memtables and decoded pages are counted. */
  readonly memory?: MemoryBudget;
  /** Smaller partitions for tests. */
  readonly partitionSizes?: PartitionSizes;
}
