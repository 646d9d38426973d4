/**
 * The memory that all parts of a process share, and who holds how much of it. What is counted is what was asked for; the
 * process's base, garbage that is not collected yet and what the allocator does not give back are no part of it: whoever
 * makes a budget leaves room for them (cli/memory_governor.ts).
 *
 * A part that can wait, write to disk or fail asks first (`tryGrow`). One that cannot, because what it counts is there
 * already, says so (`grow`), and others find less room. Caches register to be emptied when there is too little.
 */
import { assert } from "./assert.ts";

export class MemoryBudget {
  private held = 0;
  private readonly reclaimers: ((bytes: number) => void)[] = [];

  /** @param total bytes in all; it may change later, below what is held too */
  constructor(private total: number) {}

  get totalBytes(): number {
    return this.total;
  }

  set totalBytes(bytes: number) {
    this.total = bytes;
    this.reclaim(this.held - bytes);
  }

  /** Bytes of all leases. */
  get heldBytes(): number {
    return this.held;
  }

  /** A part of the whole, in bytes: what a holder that has no other limit keeps to. */
  share(fraction: number): number {
    return Math.floor(this.total * fraction);
  }

  /** A new, empty lease. */
  lease(): MemoryLease {
    return new MemoryLease((bytes, isNeeded) => this.change(bytes, isNeeded));
  }

  /** Calls `reclaim` when bytes are missing; it releases of a lease what it can. Infinity asks for all. */
  onShortage(reclaim: (bytes: number) => void): void {
    this.reclaimers.push(reclaim);
  }

  /** Has the caches give up all that they can. @returns how many bytes came back */
  emptyCaches(): number {
    const before = this.held;
    for (const reclaim of this.reclaimers) reclaim(Infinity);
    return before - this.held;
  }

  private change(bytes: number, isNeeded: boolean): boolean {
    if (bytes > 0) this.reclaim(this.held + bytes - this.total);
    if (!isNeeded && bytes > 0 && this.held + bytes > this.total) return false;
    this.held += bytes;
    assert(this.held >= 0, "no more memory is given back than was taken");
    return true;
  }

  private reclaim(bytes: number): void {
    const wanted = this.held - bytes;
    for (const reclaim of this.reclaimers) {
      if (this.held > wanted) reclaim(this.held - wanted);
    }
  }
}

/** What one part holds of a budget. */
export class MemoryLease {
  private held = 0;

  constructor(private readonly change: (bytes: number, isNeeded: boolean) => boolean) {}

  get bytes(): number {
    return this.held;
  }

  /** Takes bytes if there is room for them. @returns whether there was */
  tryGrow(bytes: number): boolean {
    if (!this.change(bytes, false)) return false;
    this.held += bytes;
    return true;
  }

  /** Takes bytes that are in use already, whether there is room or not. */
  grow(bytes: number): void {
    this.held += bytes;
    this.change(bytes, true);
  }

  /** Gives bytes back. */
  shrink(bytes: number): void {
    assert(bytes <= this.held, "a lease gives back what it holds");
    this.held -= bytes;
    this.change(-bytes, true);
  }

  /** Takes or gives back what is missing to hold just these bytes. */
  set(bytes: number): void {
    if (bytes > this.held) this.grow(bytes - this.held);
    else this.shrink(this.held - bytes);
  }

  release(): void {
    this.shrink(this.held);
  }
}
