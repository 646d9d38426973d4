/**
 * The buffer of the largest answer so far, kept for the next one: fresh memory for megabytes of documents costs as much as
 * writing them, and for some kilobytes, got by doubling, nearly so. It is counted in the budget and goes when others need the memory.
 */
import { MAX_MESSAGE_BYTES, type MemoryBudget, type MemoryLease } from "../base/mod.ts";

/** Smaller ones are as quickly made. */
const MIN_KEPT_BYTES = 1024;

export class ReplyBuffers {
  private kept: Uint8Array | undefined;
  private readonly lease: MemoryLease;

  constructor(budget: MemoryBudget) {
    this.lease = budget.lease();
    budget.onShortage(() => this.drop());
  }

  /** A buffer that holds anything, its taker's until it is given back; undefined when there is none. */
  take(): Uint8Array | undefined {
    const { kept } = this;
    this.drop();
    return kept;
  }

  /** Nothing of the buffer may be in use any more. */
  give(buffer: Uint8Array): void {
    const { length } = buffer;
    if (length < MIN_KEPT_BYTES || length > MAX_MESSAGE_BYTES || length <= (this.kept?.length ?? 0)) return;
    this.drop();
    if (this.lease.tryGrow(length)) this.kept = buffer;
  }

  private drop(): void {
    this.lease.shrink(this.lease.bytes);
    this.kept = undefined;
  }
}
