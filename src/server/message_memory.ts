/**
 * Memory of the messages that clients send: those that are coming in, wait or are being answered. When those that are whole
 * fill their share, connections stop reading, and TCP holds their clients back. Only such are waited for: each of them gets
 * its answer some time. A peer that announces much and sends little keeps nobody from being served. Nor do small messages:
 * their answers make no room to speak of, and may be long in coming (a `hello` that a driver's monitor streams never ends).
 */
import { type MemoryBudget, type MemoryLease, MESSAGE_SHARE, SMALL_MESSAGE_BYTES } from "../base/mod.ts";

/** A message, and what its command makes of it on the way: an entry of the log, mostly. */
const COPIES = 2;

export class MessageMemory {
  private readonly lease: MemoryLease;
  /** Bytes of the messages that are worth waiting for. */
  private awaitedBytes = 0;
  private waiting: (() => void)[] = [];

  constructor(private readonly budget: MemoryBudget) {
    this.lease = budget.lease();
  }

  /** Resolves when there is room for more bytes. */
  async room(): Promise<void> {
    while (this.awaitedBytes > 0 && this.awaitedBytes >= this.budget.share(MESSAGE_SHARE)) {
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
    this.lease.grow(bytes * COPIES);
    if (bytes > SMALL_MESSAGE_BYTES) this.awaitedBytes += bytes * COPIES;
  }

  /** A message is answered, or nobody waits for its answer any more. */
  end(bytes: number): void {
    this.lease.shrink(bytes * COPIES);
    if (bytes > SMALL_MESSAGE_BYTES) this.awaitedBytes -= bytes * COPIES;
    if (this.waiting.length === 0) return;
    const { waiting } = this;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }
}
