/**
 * The port to what a query puts aside when memory is short: files that nobody else sees and that are gone at its end.
 * Calls are synchronous, like all reads of the store.
 */
export interface SpillSpace {
  /** A new, empty file. @throws CommandError OutOfDiskSpace */
  create(): SpillFile;
}

export interface SpillFile {
  readonly sizeBytes: number;
  /** @throws CommandError OutOfDiskSpace */
  append(bytes: Uint8Array): void;
  /** Fills `target` from `offset`; returns the bytes read, fewer only at the end of the file. */
  readAt(target: Uint8Array, offset: number): number;
  /** Gives the room back; nothing when that is done. */
  remove(): void;
}

/** Files in memory: for tests. */
export class MemorySpill implements SpillSpace {
  /** Files ever made, and those that are not removed. */
  created = 0;
  readonly open = new Set<SpillFile>();

  create(): SpillFile {
    this.created++;
    let content = new Uint8Array(0);
    const file = {
      get sizeBytes() {
        return content.length;
      },
      append: (bytes: Uint8Array) => {
        const grown = new Uint8Array(content.length + bytes.length);
        grown.set(content);
        grown.set(bytes, content.length);
        content = grown;
      },
      readAt: (target: Uint8Array, offset: number) => {
        const found = content.subarray(offset, offset + target.length);
        target.set(found);
        return found.length;
      },
      remove: () => void this.open.delete(file),
    };
    this.open.add(file);
    return file;
  }
}
