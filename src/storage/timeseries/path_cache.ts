/**
 * What is derived of the values at a path of all metas of a table, kept for those who ask again: in one cache of a kind
 * for all tables of a store, the least recently used dropped first when it holds more than its limit or others need the
 * memory.
 */
import type { MemoryBudget, MemoryLease } from "../../base/mod.ts";

/** Paths that are remembered to have been asked for. */
const MAX_ASKED_PATHS = 4096;

/** What is kept of a path; it may have grown when it is set again. */
interface Kept {
  readonly memoryBytes: number;
}

interface Entry<T> {
  readonly value: T;
  readonly sizeBytes: number;
}

export class PathCache<T extends Kept> {
  /** From the least to the most recently used. */
  private readonly entries = new Map<string, Entry<T>>();
  /** Paths that have been asked for, and may have nothing here. */
  private readonly asked = new Set<string>();
  private readonly lease: MemoryLease;

  /**
   * @param budget what is kept is counted in, and gives way to
   * @param limitBytes the most that is kept, whatever is free
   */
  constructor(budget: MemoryBudget, private readonly limitBytes: number) {
    this.lease = budget.lease();
    budget.onShortage((bytes) => this.shrinkTo(this.sizeBytes - bytes));
  }

  /** Bytes held now. */
  get sizeBytes(): number {
    return this.lease.bytes;
  }

  get(tableId: number, path: string): T | undefined {
    const key = keyOf(tableId, path);
    const found = this.entries.get(key);
    if (found === undefined) return undefined;
    this.entries.delete(key);
    this.entries.set(key, found);
    return found.value;
  }

  set(tableId: number, path: string, value: T): void {
    this.drop(keyOf(tableId, path));
    const sizeBytes = value.memoryBytes;
    this.shrinkTo(this.limitBytes - sizeBytes);
    // Where there is no room at all, what was built is its reader's alone.
    const isKept = sizeBytes <= this.limitBytes && this.lease.tryGrow(sizeBytes);
    if (isKept) this.entries.set(keyOf(tableId, path), { value, sizeBytes });
  }

  /** Whether a path is asked for that was not before. */
  isNew(tableId: number, path: string): boolean {
    const key = keyOf(tableId, path);
    if (this.asked.has(key)) return false;
    if (this.asked.size === MAX_ASKED_PATHS) this.asked.clear();
    this.asked.add(key);
    return true;
  }

  /**
   * Drops what was used longest ago until no more than this is held. It is not built again for one question more: what is
   * empty has not been asked for anything.
   */
  shrinkTo(sizeBytes: number): void {
    if (sizeBytes <= 0) this.asked.clear();
    for (const key of this.entries.keys()) {
      if (this.sizeBytes <= sizeBytes) break;
      this.drop(key);
      this.asked.delete(key);
    }
  }

  /** Drops all of a table. */
  forget(tableId: number): void {
    const isOfTable = (key: string) => key.startsWith(keyOf(tableId, ""));
    for (const key of this.entries.keys()) if (isOfTable(key)) this.drop(key);
    for (const key of this.asked) if (isOfTable(key)) this.asked.delete(key);
  }

  private drop(key: string): void {
    this.lease.shrink(this.entries.get(key)?.sizeBytes ?? 0);
    this.entries.delete(key);
  }
}

function keyOf(tableId: number, path: string): string {
  return `${tableId}:${path}`;
}
