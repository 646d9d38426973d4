/**
 * Decoded pages and row group headers, dropped once they hold more than the limit or others need the memory. What a reader
 * holds in its hands lives on without it.
 *
 * What goes is found by second chances (the clock of F. Corbató's "A Paging Experiment with the Multics System", 1968):
 * the oldest goes, unless it was used since it was looked at last. So a hit costs a look-up and no more.
 */
import type { MemoryBudget, MemoryLease } from "../../base/mod.ts";

/** Linked to its neighbours in the order in which entries are looked at. */
class Entry {
  isUsed = false;
  before: Entry = this;
  behind: Entry = this;

  constructor(
    readonly file: number,
    readonly offset: number,
    readonly value: object,
    readonly sizeBytes: number,
  ) {}

  insertBefore(other: Entry): void {
    this.before = other.before;
    this.behind = other;
    this.before.behind = this;
    other.before = this;
  }

  remove(): void {
    this.before.behind = this.behind;
    this.behind.before = this.before;
    // What is gone holds no neighbour that the collector would have to keep.
    this.before = this.behind = this;
  }
}

const MANY = 16;

export class PageCache {
  /** By file and offset. */
  private readonly files = new Map<number, Map<number, Entry>>();
  /** Behind it is the entry that is looked at next, before it the one that is looked at last. */
  private readonly ends = new Entry(0, 0, {}, 0);
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

  /** What was made for a place, where it is still held. One place of one file always holds one kind of thing. */
  find<T extends object>(file: number, offset: number): T | undefined {
    const known = this.files.get(file)?.get(offset);
    if (known === undefined) return undefined;
    known.isUsed = true;
    return known.value as T;
  }

  /**
   * What was made for a place, or what `make` makes for it now.
   *
   * @param file the number of a file, never used again
   */
  get<T extends object>(file: number, offset: number, make: () => { value: T; sizeBytes: number }): T {
    const known = this.find<T>(file, offset);
    if (known !== undefined) return known;
    const { value, sizeBytes } = make();
    this.shrinkTo(this.limitBytes() - sizeBytes);
    // Where there is no room at all, what was made is its reader's alone.
    if (this.lease.tryGrow(sizeBytes)) this.add(new Entry(file, offset, value, sizeBytes));
    return value;
  }

  /** Whether something is held for a place. */
  has(file: number, offset: number): boolean {
    return this.files.get(file)?.has(offset) === true;
  }

  /** Whether so many bytes would be kept until many times as many have come. */
  hasRoomFor(sizeBytes: number): boolean {
    if (this.limitBytes() < MANY * sizeBytes || !this.lease.tryGrow(sizeBytes)) return false;
    this.lease.shrink(sizeBytes);
    return true;
  }

  /** Drops everything of a file. */
  forget(file: number): void {
    for (const entry of this.files.get(file)?.values() ?? []) this.drop(entry);
  }

  private add(entry: Entry): void {
    let pages = this.files.get(entry.file);
    if (pages === undefined) this.files.set(entry.file, pages = new Map());
    pages.set(entry.offset, entry);
    entry.insertBefore(this.ends);
  }

  private shrinkTo(bytes: number): void {
    const { ends } = this;
    for (let entry = ends.behind; entry !== ends && this.sizeBytes > bytes; entry = ends.behind) {
      if (entry.isUsed) {
        entry.isUsed = false;
        entry.remove();
        entry.insertBefore(ends);
      } else {
        this.drop(entry);
      }
    }
  }

  private drop(entry: Entry): void {
    const pages = this.files.get(entry.file);
    pages?.delete(entry.offset);
    if (pages?.size === 0) this.files.delete(entry.file);
    entry.remove();
    this.lease.shrink(entry.sizeBytes);
  }
}
