/**
 * Keeps the process's resident memory below `--memory-limit`.
 *
 *     limit = base, measured before the data folder is opened
 *           + budget: what memtables, pages, sorts and messages are counted in
 *           + somewhat more than that for what nobody counts: garbage, copies on their way, fragments of the allocator
 *
 * V8 collects buffers late when little else becomes garbage: young ones are collected here once some megabytes of them
 * came. Where the resident memory comes near its limit all the same, the budget is made smaller until it does not:
 * caches shrink, memtables are flushed earlier, queries spill sooner. It grows back slowly. What the allocator does not
 * give back is used again: memory that is much but no longer grows is no reason to shrink further.
 */
import {
  type Logger,
  MEMORY_BUDGET_SHARE,
  MEMORY_LOOK_INTERVAL_MS,
  MemoryBudget,
  YOUNG_GARBAGE_BYTES,
} from "../base/mod.ts";
import type { Clock, ProcessMemory } from "../io/mod.ts";

/** Of the limit: above the first the budget shrinks if memory grew, above the second always, below the third it grows. */
const HIGH = 0.85;
const HIGHEST = 0.92;
const LOW = 0.75;
/** Less than this is no growth. */
const GROWTH_BYTES = 1024 * 1024;
/** By what it does, at each step, and the least of its size that it keeps. */
const SHRINK = 0.8;
const GROW = 1.02;
const LEAST = 0.2;
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
  private buffersAfterCollection: number;
  private lastStepMs: number;
  /** Resident when the budget shrank last. */
  private residentAtShrink = 0;
  private cancel: () => void;

  /** Starts; what is resident now is the base. */
  constructor(private readonly options: GovernorOptions) {
    const { residentBytes, bufferBytes } = options.memory.look();
    this.fullBytes = Math.max(0, options.limitBytes - residentBytes) * MEMORY_BUDGET_SHARE;
    this.budget = new MemoryBudget(this.fullBytes);
    this.buffersAfterCollection = bufferBytes;
    this.lastStepMs = options.clock.monotonicMs();
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
    const { memory, clock } = this.options;
    let figures = memory.look();
    if (figures.bufferBytes >= this.buffersAfterCollection + YOUNG_GARBAGE_BYTES) {
      memory.collectYoung();
      figures = memory.look();
      this.buffersAfterCollection = figures.bufferBytes;
    }
    if (figures.bufferBytes < this.buffersAfterCollection) this.buffersAfterCollection = figures.bufferBytes;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.lastStepMs < STEP_MS) return;
    this.lastStepMs = nowMs;
    this.adapt(figures.residentBytes);
  }

  private adapt(residentBytes: number): void {
    const { limitBytes, memory, logger } = this.options;
    const { budget } = this;
    const grew = residentBytes > this.residentAtShrink + GROWTH_BYTES;
    if (residentBytes > limitBytes * HIGHEST || (residentBytes > limitBytes * HIGH && grew)) {
      this.residentAtShrink = residentBytes;
      const before = budget.totalBytes;
      budget.totalBytes = Math.max(this.fullBytes * LEAST, before * SHRINK);
      memory.collectAll();
      if (budget.totalBytes < before) {
        logger.debug("memory is short", { residentBytes, budgetBytes: Math.round(budget.totalBytes) });
      }
    } else if (residentBytes < limitBytes * LOW) {
      this.residentAtShrink = 0;
      budget.totalBytes = Math.min(this.fullBytes, budget.totalBytes * GROW);
    }
  }
}
