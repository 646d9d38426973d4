/**
 * Runs compactions beside everything else, one at a time: after each flush while there is something to merge, and when a
 * table's is asked for.
 *
 * A merge reads only what never changes. What comes meanwhile is not lost: flushes add segments beside its inputs,
 * expiries hold for its outputs too (their arrival is not beyond them), dropped tables are dropped from them. Whether the
 * inputs or the outputs count is one record of the manifest.
 */
import { FLUSHES_BEHIND_AT_EASE, YIELD_AFTER_MS } from "../../base/mod.ts";
import { runCompaction } from "./compaction.ts";
import { compactionOf, type CompactionPlan, nextCompaction } from "./compaction_policy.ts";
import { type Pace, pacer } from "./pacer.ts";
import type { SegmentSet } from "./segment_set.ts";
import type { TimeseriesStoreOptions } from "./store_options.ts";

/** What ends a merge whose store is being closed. */
class Stopped extends Error {}

export class Compactor {
  /** The end of all compactions that were asked for so far. */
  private last: Promise<void> = Promise.resolve();
  private isRunning = false;
  private isStopped = false;

  constructor(private readonly options: TimeseriesStoreOptions, private readonly segments: SegmentSet) {}

  /** Merges in the background what is due; a failure is logged, and the next call tries again. */
  start(): void {
    if (this.isRunning || this.isStopped) return;
    this.isRunning = true;
    this.inTurn(async () => {
      // One plan a turn: what is asked for meanwhile comes between.
      const plan = this.isStopped ? undefined : nextCompaction(this.segments.compactionState);
      this.isRunning = false;
      if (plan === undefined) return;
      await this.run(plan);
      this.start();
    }).catch((error) => {
      if (error instanceof Stopped) return;
      this.options.logger.error("a compaction failed; the segments stay as they were", {
        error: String(error),
      });
    });
  }

  /** Merges until each partition with rows of the table that have arrived by now is one segment. */
  compact(tableId: number): Promise<void> {
    return this.inTurn(async () => {
      const arrival = this.segments.latestArrival;
      for (;;) {
        const plan = compactionOf(this.segments.compactionState, tableId, arrival);
        if (plan === undefined) return;
        await this.run(plan);
      }
    });
  }

  /** Ends the merge that runs and starts no more. */
  async stop(): Promise<void> {
    this.isStopped = true;
    await this.last;
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.last.then(work);
    this.last = turn.catch(() => {});
    return turn;
  }

  private async run(plan: CompactionPlan): Promise<void> {
    const { segments, options: { clock, logger } } = this;
    const started = clock.monotonicMs();
    for (const segment of plan.inputs) segment.pin();
    try {
      const merged = await runCompaction(segments.compactionJob(plan, this.pace()));
      await segments.install(plan, merged);
      logger.debug("compacted", {
        reason: plan.reason,
        from: plan.inputs.length,
        to: merged.written.length,
        bytes: plan.inputs.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
        ms: Math.round(clock.monotonicMs() - started),
      });
    } finally {
      for (const segment of plan.inputs) segment.unpin();
    }
  }

  /** Works longer at a time the further it is behind. */
  private pace(): Pace {
    const behind =
      this.segments.compactionState.segments.filter(({ number, place }) => number === place.arrival).length;
    const factor = Math.max(1, behind / FLUSHES_BEHIND_AT_EASE);
    return pacer(this.options.clock, () => {
      if (this.isStopped) throw new Stopped("the store is being closed");
    }, YIELD_AFTER_MS * factor);
  }
}
