/**
 * Decoded pages and row group headers, the least recently used dropped first once they hold more than the limit. What a
 * reader holds in its hands lives on without it.
 */
export class PageCache {
  private readonly entries = new Map<number, { readonly value: object; readonly sizeBytes: number }>();
  private held = 0;

  constructor(private readonly limitBytes: number) {}

  /** Bytes held now. */
  get sizeBytes(): number {
    return this.held;
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
    this.entries.set(key, made);
    this.held += made.sizeBytes;
    for (const [oldest, entry] of this.entries) {
      if (this.held <= this.limitBytes || oldest === key) break;
      this.entries.delete(oldest);
      this.held -= entry.sizeBytes;
    }
    return made.value;
  }

  /** Drops everything of a file. */
  forget(file: number): void {
    for (const [key, entry] of this.entries) {
      if (Math.floor(key / 2 ** 33) !== file) continue;
      this.entries.delete(key);
      this.held -= entry.sizeBytes;
    }
  }
}
