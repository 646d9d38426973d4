/**
 * Requests of one connection that wait for their turn. Bounded by number and bytes: whoever adds waits for room first,
 * so that a client which sends faster than it is served is held back by TCP.
 */
import { MAX_PIPELINED_BYTES, MAX_PIPELINED_REQUESTS } from "../base/mod.ts";

export class RequestQueue {
  private waiting: Uint8Array[] = [];
  private next = 0;
  private bytes = 0;
  private ended = false;
  private wakeTaker: (() => void) | undefined;
  private wakeAdder: (() => void) | undefined;

  /** Requests that wait. */
  get length(): number {
    return this.waiting.length - this.next;
  }

  /** Adds a message, however full the queue is; see `room`. */
  add(message: Uint8Array): void {
    this.waiting.push(message);
    this.bytes += message.length;
    this.wakeTaker?.();
  }

  /** Resolves when there is room for another message, or the queue was closed. */
  async room(): Promise<void> {
    while (!this.ended && (this.length >= MAX_PIPELINED_REQUESTS || this.bytes >= MAX_PIPELINED_BYTES)) {
      await new Promise<void>((resolve) => this.wakeAdder = resolve);
      this.wakeAdder = undefined;
    }
  }

  /** The oldest message; undefined when the queue has ended and is empty. */
  async take(): Promise<Uint8Array | undefined> {
    while (this.length === 0 && !this.ended) {
      await new Promise<void>((resolve) => this.wakeTaker = resolve);
      this.wakeTaker = undefined;
    }
    if (this.length === 0) return undefined;
    const message = this.waiting[this.next++]!;
    if (this.next === this.waiting.length) {
      this.waiting = [];
      this.next = 0;
    }
    this.bytes -= message.length;
    this.wakeAdder?.();
    return message;
  }

  /** Nothing more comes; what waits may still be taken. */
  end(): void {
    this.ended = true;
    this.wakeTaker?.();
    this.wakeAdder?.();
  }

  /** Drops what waits and ends. @returns the bytes of each dropped message */
  close(): number[] {
    const dropped = this.waiting.slice(this.next).map((message) => message.length);
    this.waiting = [];
    this.next = 0;
    this.bytes = 0;
    this.end();
    return dropped;
  }
}
