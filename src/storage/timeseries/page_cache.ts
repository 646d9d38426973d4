/**
 * Decoded pages and row group headers, the least recently used dropped first once they hold more than the limit or others
 * need the memory. What a reader holds in its hands lives on without it.
 */
import type { MemoryBudget, MemoryLease } from "../../base/mod.ts";

export class PageCache {
  private readonly entries = new Map<number, { readonly value: object; readonly sizeBytes: number }>();
  private readonly lease: MemoryLease;

  /**
   * @param budget what its pages are counted in, and what they give way to
   * @param limitBytes the most it keeps, whatever is free
   */
  constructor(budget: MemoryBudget, private readonly limitBytes: () => number) {
    this.lease = budget.lease();
    budget.onShortage((bytes) => this.shrinkTo(this.sizeBytes - bytes));
  }

  /** Bytes held now. */
  get sizeBytes(): number {
    return this.lease.bytes;
  }

  /**
   * What was made for a place, or what `make` makes for it now.
   *
   * @param file the number of a file, below 2²⁰, never used again
   * @param offset below 2³³
   */
  get<T extends object>(file: number, offset: number, make: () => { value: T; sizeBytes: number }): T {
    const key = file * 2 ** 33 + offset;
    const known = this.entries.get(key);
    if (known !== undefined) {
      this.entries.delete(key);
      this.entries.set(key, known);
      // One place of one file always holds one kind of thing.
      return known.value as T;
    }
    const made = make();
    this.shrinkTo(this.limitBytes() - made.sizeBytes);
    // Where there is no room at all, what was made is its reader's alone.
    if (!this.lease.tryGrow(made.sizeBytes)) return made.value;
    this.entries.set(key, made);
    return made.value;
  }

  /** Drops everything of a file. */
  forget(file: number): void {
    for (const [key, entry] of this.entries) {
      if (Math.floor(key / 2 ** 33) === file) this.drop(key, entry.sizeBytes);
    }
  }

  private shrinkTo(bytes: number): void {
    for (const [oldest, entry] of this.entries) {
      if (this.sizeBytes <= bytes) return;
      this.drop(oldest, entry.sizeBytes);
    }
  }

  private drop(key: number, sizeBytes: number): void {
    this.entries.delete(key);
    this.lease.shrink(sizeBytes);
  }
}
