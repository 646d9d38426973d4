/**
 * Keeps the process's resident memory below `--memory-limit`.
 *
 *     limit = base, measured before the data folder is opened
 *           + budget: what memtables, pages, sorts and messages are counted in
 *           + what nobody counts: a part that every process has (V8's own heap, code that is compiled later), and
 *             somewhat more than the budget again (garbage, copies on their way, fragments of the allocator)
 *
 * V8 knows of no limit and collects late where little else becomes garbage: young buffers are collected here once some
 * megabytes of them came, and where memory gets less, all garbage, once heap and buffers grew by some megabytes. Where
 * the resident memory comes near its limit all the same, the budget is made smaller until it does not: caches shrink,
 * memtables are flushed earlier, queries spill sooner. It grows back slowly. What the allocator does not give back is
 * used again: memory that is much but no longer grows is no reason to shrink further.
 */
import {
  type Logger,
  MEMORY_BUDGET_SHARE,
  MEMORY_LOOK_INTERVAL_MS,
  MemoryBudget,
  MIN_MEMORY_BUDGET_BYTES,
  OLD_GARBAGE_BYTES,
  UNCOUNTED_MEMORY_BYTES,
  YOUNG_GARBAGE_BYTES,
  YOUNG_GARBAGE_SHARE,
} from "../base/mod.ts";
import type { Clock, MemoryFigures, ProcessMemory } from "../io/mod.ts";

/**
 * Of the limit: above the first the budget shrinks if memory grew, above the second always; below the third it grows, and
 * above it garbage is looked for.
 */
const HIGH = 0.78;
const HIGHEST = 0.85;
const LOW = 0.68;
/** Less than this is no growth. */
const GROWTH_BYTES = 1024 * 1024;
/** By what it does, at each step, and the least of its size that it keeps. */
const SHRINK = 0.8;
const GROW = 1.02;
const LEAST = 0.2;
/** Between two full collections that a step does not ask for: some tens of milliseconds each. */
const COLLECTION_INTERVAL_MS = 150;
/** Between two steps: what became free must have been given back by then. */
const STEP_MS = 1000;

export interface GovernorOptions {
  readonly limitBytes: number;
  readonly memory: ProcessMemory;
  readonly clock: Clock;
  readonly logger: Logger;
}

export class MemoryGovernor {
  readonly budget: MemoryBudget;
  private readonly fullBytes: number;
  private readonly youngGarbageBytes: number;
  private buffersAfterCollection: number;
  /** The least of heap and buffers since the last full collection. */
  private leastUsedBytes: number;
  private lastCollectionMs: number;
  private lastStepMs: number;
  /** Resident when the budget shrank last. */
  private residentAtShrink = 0;
  private cancel: () => void;

  /** Starts; what is resident now is the base. */
  constructor(private readonly options: GovernorOptions) {
    const { residentBytes, heapBytes, bufferBytes } = options.memory.look();
    const freeBytes = options.limitBytes - residentBytes - UNCOUNTED_MEMORY_BYTES;
    this.fullBytes = Math.max(MIN_MEMORY_BUDGET_BYTES, freeBytes * MEMORY_BUDGET_SHARE);
    this.budget = new MemoryBudget(this.fullBytes);
    this.youngGarbageBytes = Math.max(YOUNG_GARBAGE_BYTES, options.limitBytes * YOUNG_GARBAGE_SHARE);
    this.buffersAfterCollection = bufferBytes;
    this.leastUsedBytes = heapBytes + bufferBytes;
    this.lastStepMs = options.clock.monotonicMs();
    this.lastCollectionMs = this.lastStepMs;
    this.cancel = this.lookLater();
    options.logger.debug("memory", {
      limitBytes: options.limitBytes,
      residentBytes,
      budgetBytes: this.fullBytes,
    });
  }

  stop(): void {
    this.cancel();
  }

  private lookLater(): () => void {
    return this.options.clock.after(MEMORY_LOOK_INTERVAL_MS, () => {
      this.look();
      this.cancel = this.lookLater();
    });
  }

  private look(): void {
    const { memory, clock, limitBytes } = this.options;
    let figures = memory.look();
    if (figures.bufferBytes >= this.buffersAfterCollection + this.youngGarbageBytes) {
      memory.collectYoung();
      figures = memory.look();
      this.buffersAfterCollection = figures.bufferBytes;
    }
    if (figures.bufferBytes < this.buffersAfterCollection) this.buffersAfterCollection = figures.bufferBytes;
    const nowMs = clock.monotonicMs();
    if (this.mayHaveOldGarbage(figures, nowMs) && figures.residentBytes > limitBytes * LOW) {
      this.collectAll(nowMs);
    }
    if (nowMs - this.lastStepMs < STEP_MS) return;
    this.lastStepMs = nowMs;
    this.adapt(memory.look().residentBytes, nowMs);
  }

  private mayHaveOldGarbage({ heapBytes, bufferBytes }: MemoryFigures, nowMs: number): boolean {
    const usedBytes = heapBytes + bufferBytes;
    this.leastUsedBytes = Math.min(this.leastUsedBytes, usedBytes);
    return usedBytes - this.leastUsedBytes >= OLD_GARBAGE_BYTES &&
      nowMs - this.lastCollectionMs >= COLLECTION_INTERVAL_MS;
  }

  private collectAll(nowMs: number): void {
    const { memory } = this.options;
    memory.collectAll();
    const { heapBytes, bufferBytes } = memory.look();
    this.leastUsedBytes = heapBytes + bufferBytes;
    this.buffersAfterCollection = bufferBytes;
    this.lastCollectionMs = nowMs;
  }

  private adapt(residentBytes: number, nowMs: number): void {
    const { limitBytes, logger } = this.options;
    const { budget } = this;
    const grew = residentBytes > this.residentAtShrink + GROWTH_BYTES;
    if (residentBytes > limitBytes * HIGHEST || (residentBytes > limitBytes * HIGH && grew)) {
      this.residentAtShrink = residentBytes;
      const before = budget.totalBytes;
      budget.totalBytes = Math.max(this.fullBytes * LEAST, before * SHRINK);
      this.collectAll(nowMs);
      if (budget.totalBytes < before) {
        logger.debug("memory is short", { residentBytes, budgetBytes: Math.round(budget.totalBytes) });
      }
    } else if (residentBytes < limitBytes * LOW) {
      this.residentAtShrink = 0;
      budget.totalBytes = Math.min(this.fullBytes, budget.totalBytes * GROW);
    }
  }
}
