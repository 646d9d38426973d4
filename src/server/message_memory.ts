/**
 * Memory of the messages that clients send: those that are coming in, wait or are being answered. When there are too many,
 * connections stop reading, and TCP holds their clients back. Only messages that are whole are waited for: each of them
 * gets its answer some time. A peer that announces much and sends little keeps nobody from being served.
 */
import { type MemoryBudget, type MemoryLease, MESSAGE_SHARE } from "../base/mod.ts";

/** A message, and what its command makes of it on the way: an entry of the log, mostly. */
const COPIES = 2;

export class MessageMemory {
  private readonly lease: MemoryLease;
  private whole = 0;
  private waiting: (() => void)[] = [];

  constructor(private readonly budget: MemoryBudget) {
    this.lease = budget.lease();
  }

  /** Resolves when there is room for more bytes, or no message is left whose answer would make room. */
  async room(): Promise<void> {
    while (this.whole > 0 && this.lease.bytes >= this.budget.share(MESSAGE_SHARE)) {
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  /** The buffer of a message that is not whole yet has grown, or was given up where `bytes` is negative. */
  receiving(bytes: number): void {
    if (bytes >= 0) this.lease.grow(bytes);
    else this.lease.shrink(-bytes);
  }

  /** A message is whole: `end` must follow. */
  begin(bytes: number): void {
    this.whole++;
    this.lease.grow(bytes * COPIES);
  }

  /** A message is answered, or nobody waits for its answer any more. */
  end(bytes: number): void {
    this.whole--;
    this.lease.shrink(bytes * COPIES);
    const { waiting } = this;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }
}
