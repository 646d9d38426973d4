/**
 * What a cursor has that waits for more instead of ending: how long a getMore waits, and what its answer says beside the
 * documents. Its rows come as those of any cursor, and an empty batch of them says that there is nothing more now.
 */
import { setImmediate as untilNextTurn, setTimeout as untilTimers } from "node:timers/promises";
import { TAIL_PAUSE_MS } from "../base/mod.ts";
import type { Document, Value } from "../bson/mod.ts";
import type { Operation } from "./operation.ts";

/** What a getMore waits for when it does not say how long. */
export const DEFAULT_AWAIT_MS = 1000;

export class Tail {
  private operation: Operation | undefined;
  private deadlineMs = 0;
  private hasNews = false;
  private lastLookMs = -Infinity;
  private wake: () => void = () => {};
  /** Whether a getMore may wait at all. */
  readonly awaitsData: boolean = true;
  /** Whether the batch that is being filled has no document yet: then it may be waited for. */
  isWaiting = false;

  /** A batch is asked for. @param waitMs how long it may wait for its first document */
  begin(operation: Operation, waitMs: number): void {
    this.operation = operation;
    this.deadlineMs = operation.clock.monotonicMs() + waitMs;
  }

  /**
   * A document was written to the answer; called before the next one is asked for.
   *
   * @param _sizeBytes of it as BSON
   * @throws CommandError when it must not be answered
   */
  returned(_document: Document, _sizeBytes: number): void {}

  /**
   * Fields of the answer's cursor behind the batch.
   *
   * @param isDrained whether all that the rows gave was returned
   */
  fields(_isDrained: boolean): Readonly<Record<string, Value>> {
    return {};
  }

  /** An error of a getMore as it is answered. */
  failure(error: unknown): unknown {
    return error;
  }

  /** There may be more now. */
  readonly notify = (): void => {
    this.hasNews = true;
    this.wake();
  };

  /**
   * Waits until there may be more.
   *
   * @returns false when the batch is to end without
   * @throws CommandError when the operation was killed
   */
  protected async wait(): Promise<boolean> {
    const { operation } = this;
    if (operation === undefined || !this.isWaiting) return false;
    const leftMs = this.deadlineMs - operation.clock.monotonicMs();
    if (!this.hasNews && leftMs > 0 && !operation.isHurried) await this.untilNews(operation, leftMs);
    operation.check();
    if (!this.hasNews) return false;
    // Where much comes, one look serves for some milliseconds of it; and whoever wrote what came shows it to others first.
    const pauseMs = this.lastLookMs + TAIL_PAUSE_MS - operation.clock.monotonicMs();
    await (pauseMs > 0 ? untilTimers(pauseMs) : untilNextTurn());
    this.lastLookMs = operation.clock.monotonicMs();
    this.hasNews = false;
    return true;
  }

  private async untilNews(operation: Operation, waitMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const cancelTimer = operation.clock.after(waitMs, () => this.wake());
      const forget = operation.onInterrupt(() => this.wake());
      this.wake = () => {
        this.wake = () => {};
        cancelTimer();
        forget();
        resolve();
      };
    });
  }
}
