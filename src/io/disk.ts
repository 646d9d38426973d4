/**
 * The port to files. Reads and writes are synchronous and positioned (a read of 16 KB takes some 3 µs, an asynchronous
 * one fifteen times that); only what waits for the device is asynchronous: `sync`, and `prefetch` before reads.
 *
 * What was written is durable after `sync` of the file and, for a new, renamed or removed name, `syncDirectory` of its
 * folder; before, a crash may keep, lose or tear it. All paths are relative to the disk's root and use `/`.
 */
export interface Disk {
  /** Opens a file. `read`: must exist; `write`: must exist, for both; `create`: must not exist, for both. */
  open(path: string, mode: OpenMode): DiskFile;
  /** Names in a folder, sorted; an empty list when it does not exist. */
  list(directory: string): string[];
  exists(path: string): boolean;
  /** Makes a folder and those above it; nothing when it is there. */
  makeDirectory(path: string): void;
  /** Replaces `to` if it exists, atomically. */
  rename(from: string, to: string): void;
  /** Removes a file, or a folder with all in it; nothing when it is not there. */
  remove(path: string): void;
  /** Makes the names in a folder durable. */
  syncDirectory(path: string): Promise<void>;
  /** Takes an exclusive lock that ends with the process; undefined when another process holds it. */
  lock(path: string): (() => void) | undefined;
  /** The path that the operating system knows, for libraries that open files themselves (SQLite). */
  absolutePath(path: string): string;
}

export type OpenMode = "read" | "write" | "create";

/** A part of a file. */
export interface ByteRange {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** An open file. Every call throws the platform's error when the device fails. */
export interface DiskFile {
  readonly path: string;
  /** How often `readAt` had to wait for the device, as far as its time tells. */
  readonly slowReads: number;
  /** Bytes in the file now. */
  size(): number;
  /** Fills `target` from `offset`; returns the bytes read, fewer only at the end of the file. */
  readAt(target: Uint8Array, offset: number): number;
  /**
   * Asks the device for what `readAt` is about to be asked for, all at once: it gives several together sooner than one after
   * the other. Resolves when they are at hand; an error is left to the read.
   */
  prefetch(ranges: readonly ByteRange[]): Promise<void>;
  /** Writes all of `bytes` at `offset`, growing the file as needed. */
  writeAt(bytes: Uint8Array, offset: number): void;
  /** Makes the data durable (fdatasync). Writes made while it runs may or may not be included. */
  sync(): Promise<void>;
  truncate(sizeBytes: number): void;
  close(): void;
}
