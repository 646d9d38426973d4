/**
 * The machine's files, under one root folder. `node:fs` has the positioned synchronous calls that Deno's own files
 * lack; the lock is Deno's (flock: it ends with the process, however that ends).
 *
 * Works in a Worker that may only read and write the root folder.
 */
import * as fs from "node:fs";
import { checkPath } from "./disk_path.ts";
import type { Disk, DiskFile, OpenMode } from "./disk.ts";

const FLAGS: Readonly<Record<OpenMode, string>> = { read: "r", write: "r+", create: "wx+" };

export class DenoDisk implements Disk {
  /** @param root an existing folder, or one that `makeDirectory("")` is going to make */
  constructor(private readonly root: string) {}

  open(path: string, mode: OpenMode): DiskFile {
    return new DenoFile(path, fs.openSync(this.absolutePath(path), FLAGS[mode]));
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
  private closed = false;
  private syncing = 0;

  constructor(readonly path: string, private readonly descriptor: number) {}

  size(): number {
    return fs.fstatSync(this.descriptor).size;
  }

  readAt(target: Uint8Array, offset: number): number {
    let filled = 0;
    while (filled < target.length) {
      const count = fs.readSync(this.descriptor, target, filled, target.length - filled, offset + filled);
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  writeAt(bytes: Uint8Array, offset: number): void {
    for (let written = 0; written < bytes.length;) {
      written += fs.writeSync(this.descriptor, bytes, written, bytes.length - written, offset + written);
    }
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

function completion(start: (done: (error: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => start((error) => error ? reject(error) : resolve()));
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
