/**
 * What ends when its time is over, with one timer for all: most end before, and a timer of its own for each costs more than
 * what a statement does.
 */
import type { Clock } from "../io/mod.ts";

interface Lifetime {
  /** On the monotonic clock. */
  readonly dueMs: number;
  readonly end: () => void;
}

export class Lifetimes {
  private readonly running = new Set<Lifetime>();
  private timer: { readonly dueMs: number; readonly cancel: () => void } | undefined;

  constructor(private readonly clock: Clock) {}

  /** Calls `end` when the time is over. @returns what cancels that */
  begin(ms: number, end: () => void): () => void {
    const lifetime = { dueMs: this.clock.monotonicMs() + ms, end };
    this.running.add(lifetime);
    this.wakeAt(lifetime.dueMs);
    return () => void this.running.delete(lifetime);
  }

  /** Nothing ends any more. */
  close(): void {
    this.timer?.cancel();
    this.timer = undefined;
    this.running.clear();
  }

  /** A timer that comes too early finds nothing, and waits on. */
  private wakeAt(dueMs: number): void {
    if (this.timer !== undefined && this.timer.dueMs <= dueMs) return;
    this.timer?.cancel();
    const cancel = this.clock.after(dueMs - this.clock.monotonicMs(), () => this.wake());
    this.timer = { dueMs, cancel };
  }

  private wake(): void {
    this.timer = undefined;
    const nowMs = this.clock.monotonicMs();
    let nextMs = Infinity;
    for (const lifetime of this.running) {
      if (lifetime.dueMs > nowMs) {
        nextMs = Math.min(nextMs, lifetime.dueMs);
        continue;
      }
      this.running.delete(lifetime);
      lifetime.end();
    }
    if (nextMs < Infinity) this.wakeAt(nextMs);
  }
}
