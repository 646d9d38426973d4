/**
 * The machine's files, under one root folder. `node:fs` has the positioned synchronous calls that Deno's own files
 * lack; the lock is Deno's (flock: it ends with the process, however that ends).
 *
 * Works in a Worker that may only read and write the root folder.
 */
import * as fs from "node:fs";
import { checkPath } from "./disk_path.ts";
import type { ByteRange, Disk, DiskFile, OpenMode } from "./disk.ts";

/** Larger ranges are asked for in parts, which the device gives at once. */
const PREFETCH_BYTES = 256 << 10;
/** What is read ahead goes here, and so does all else that is: the system remembers it, which is all that is wanted. */
let prefetched: Uint8Array | undefined;

/** A read of what is in memory takes less: so much, and for each byte. */
const SLOW_READ_MS = 0.08;
const SLOW_MS_PER_BYTE = 1 / (1 << 20);

const FLAGS: Readonly<Record<OpenMode, string>> = { read: "r", write: "r+", create: "wx+" };

export class DenoDisk implements Disk {
  /** @param root an existing folder, or one that `makeDirectory("")` is going to make */
  constructor(private readonly root: string) {}

  open(path: string, mode: OpenMode): DiskFile {
    const open = (flags: string) => fs.openSync(this.absolutePath(path), flags);
    return new DenoFile(path, open(FLAGS[mode]), () => open(FLAGS.read));
  }

  list(directory: string): string[] {
    try {
      return fs.readdirSync(this.absolutePath(directory)).sort();
    } catch (error) {
      if (codeOf(error) === "ENOENT") return [];
      throw error;
    }
  }

  exists(path: string): boolean {
    return fs.existsSync(this.absolutePath(path));
  }

  makeDirectory(path: string): void {
    fs.mkdirSync(this.absolutePath(path), { recursive: true });
  }

  rename(from: string, to: string): void {
    fs.renameSync(this.absolutePath(from), this.absolutePath(to));
  }

  remove(path: string): void {
    fs.rmSync(this.absolutePath(path), { recursive: true, force: true });
  }

  async syncDirectory(path: string): Promise<void> {
    const descriptor = fs.openSync(this.absolutePath(path), "r");
    try {
      await completion((done) => fs.fsync(descriptor, done));
    } finally {
      fs.closeSync(descriptor);
    }
  }

  lock(path: string): (() => void) | undefined {
    const file = Deno.openSync(this.absolutePath(path), { read: true, write: true, create: true });
    if (file.tryLockSync(true)) return () => file.close();
    file.close();
    return undefined;
  }

  absolutePath(path: string): string {
    checkPath(path);
    return path === "" ? this.root : `${this.root}/${path}`;
  }
}

class DenoFile implements DiskFile {
  slowReads = 0;
  private closed = false;
  private syncing = 0;

  constructor(
    readonly path: string,
    private readonly descriptor: number,
    private readonly openAgain: () => number,
  ) {}

  size(): number {
    return fs.fstatSync(this.descriptor).size;
  }

  readAt(target: Uint8Array, offset: number): number {
    const start = performance.now();
    let filled = 0;
    while (filled < target.length) {
      const count = fs.readSync(this.descriptor, target, filled, target.length - filled, offset + filled);
      if (count === 0) break;
      filled += count;
    }
    if (performance.now() - start > SLOW_READ_MS + filled * SLOW_MS_PER_BYTE) this.slowReads++;
    return filled;
  }

  writeAt(bytes: Uint8Array, offset: number): void {
    for (let written = 0; written < bytes.length;) {
      written += fs.writeSync(this.descriptor, bytes, written, bytes.length - written, offset + written);
    }
  }

  async prefetch(ranges: readonly ByteRange[]): Promise<void> {
    const target = prefetched ??= new Uint8Array(PREFETCH_BYTES);
    const read = async ({ offset, sizeBytes }: ByteRange) => {
      // Reads of one descriptor run one after the other.
      const descriptor = this.openAgain();
      await new Promise<void>((done) => fs.read(descriptor, target, 0, sizeBytes, offset, () => done()));
      fs.closeSync(descriptor);
    };
    await Promise.allSettled(ranges.flatMap(partsOf).map(read));
  }

  async sync(): Promise<void> {
    this.syncing++;
    try {
      await completion((done) => fs.fdatasync(this.descriptor, done));
    } finally {
      this.syncing--;
      if (this.closed && this.syncing === 0) fs.closeSync(this.descriptor);
    }
  }

  truncate(sizeBytes: number): void {
    fs.ftruncateSync(this.descriptor, sizeBytes);
  }

  /** While a sync runs the descriptor must stay: its number could otherwise become another file's. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    if (this.syncing === 0) fs.closeSync(this.descriptor);
  }
}

function partsOf({ offset, sizeBytes }: ByteRange): ByteRange[] {
  const parts: ByteRange[] = [];
  for (let from = 0; from < sizeBytes; from += PREFETCH_BYTES) {
    parts.push({ offset: offset + from, sizeBytes: Math.min(PREFETCH_BYTES, sizeBytes - from) });
  }
  return parts;
}

function completion(start: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => start((error) => error ? reject(error) : resolve()));
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
