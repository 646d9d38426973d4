/**
 * The simulated twin of the machine's files. What POSIX promises and no more is kept at a crash:
 *
 * - Bytes are durable after the file's `sync`. A write that was not synced is kept, lost or torn at any byte (only its
 *   first or only its second part is there), each write for itself: a later one may be there without an earlier one.
 * - Names are durable after `syncDirectory` of their folder. A name made, renamed or removed since is kept or lost, each
 *   change for itself; a rename happens whole or not at all.
 * - A file handle or a running sync from before the crash fails afterwards.
 */
import { assert, type Random } from "../base/mod.ts";
import { diskError } from "./disk_error.ts";
import { checkPath, parentPath } from "./disk_path.ts";
import type { Disk, DiskFile, OpenMode } from "./disk.ts";
import { MemoryContent } from "./memory_content.ts";

/** A file has content, a folder has none. */
interface Node {
  readonly content: MemoryContent | undefined;
}

/** Names that came (`node`) or went (`undefined`) together: they become durable together. */
type NameChange = ReadonlyMap<string, Node | undefined>;

export class MemoryDisk implements Disk {
  /** What the program sees. */
  private names = new Map<string, Node>();
  /** What a crash leaves, but for `pending`. */
  private durableNames = new Map<string, Node>();
  private pending: NameChange[] = [];
  private readonly locks = new Set<string>();
  private generation = 0;

  open(path: string, mode: OpenMode): DiskFile {
    checkPath(path);
    const node = this.names.get(path);
    if (mode === "create") {
      if (node !== undefined) throw diskError("EEXIST", "open", path);
      this.checkParent("open", path);
      const content = new MemoryContent();
      this.change(new Map([[path, { content }]]));
      return this.handle(path, content);
    }
    if (node?.content === undefined) throw diskError("ENOENT", "open", path);
    return this.handle(path, node.content, mode === "read");
  }

  list(directory: string): string[] {
    checkPath(directory);
    return [...this.names.keys()]
      .filter((path) => path !== "" && parentPath(path) === directory)
      .map((path) => path.slice(directory === "" ? 0 : directory.length + 1))
      .sort();
  }

  exists(path: string): boolean {
    checkPath(path);
    return path === "" || this.names.has(path);
  }

  makeDirectory(path: string): void {
    if (this.exists(path)) return;
    this.makeDirectory(parentPath(path));
    this.change(new Map([[path, { content: undefined }]]));
  }

  rename(from: string, to: string): void {
    checkPath(to);
    if (!this.exists(from)) throw diskError("ENOENT", "rename", from);
    this.checkParent("rename", to);
    const changes = new Map<string, Node | undefined>();
    for (const path of this.within(to)) changes.set(path, undefined);
    for (const path of this.within(from)) {
      changes.set(to + path.slice(from.length), this.names.get(path));
      changes.set(path, undefined);
    }
    this.change(changes);
  }

  remove(path: string): void {
    // The deepest first, each for itself: a crash may find a folder half emptied.
    for (const name of this.within(path).reverse()) this.change(new Map([[name, undefined]]));
  }

  async syncDirectory(path: string): Promise<void> {
    if (!this.exists(path)) throw diskError("ENOENT", "open", path);
    const { generation } = this;
    const asked = this.pending.filter((change) => touches(change, path));
    await Promise.resolve();
    this.checkAlive(generation, "fsync", path);
    for (const change of asked) this.makeDurable(change);
  }

  lock(path: string): (() => void) | undefined {
    checkPath(path);
    this.checkParent("open", path);
    if (this.locks.has(path)) return undefined;
    if (!this.names.has(path)) this.change(new Map([[path, { content: new MemoryContent() }]]));
    this.locks.add(path);
    const { generation } = this;
    return () => {
      if (generation === this.generation) this.locks.delete(path);
    };
  }

  /** There is no path that the operating system knows: what asks for one cannot live on this disk. */
  absolutePath(path: string): string {
    checkPath(path);
    assert(false, `"${path}" of a memory disk is asked for by the operating system's path`);
  }

  /** The process ends, the machine goes on: locks and handles are gone, all that was written stays to be read or synced. */
  kill(): void {
    this.generation++;
    this.locks.clear();
  }

  /** The power fails: what was not durable is kept, lost or torn as `random` has it; locks and handles are gone. */
  crash(random: Random): void {
    this.kill();
    const pending = this.pending;
    this.pending = [];
    for (const change of pending) {
      if (random() < 0.5) this.applyTo(this.durableNames, change);
    }
    for (const path of [...this.durableNames.keys()].sort()) {
      const parent = parentPath(path);
      if (parent !== "" && !this.durableNames.has(parent)) this.durableNames.delete(path);
    }
    for (const node of this.durableNames.values()) node.content?.crash(random);
    this.names = new Map(this.durableNames);
  }

  private handle(path: string, content: MemoryContent, readOnly = false): DiskFile {
    const { generation } = this;
    return new MemoryFile(path, content, readOnly, (operation) => {
      this.checkAlive(generation, operation, path);
    });
  }

  private checkAlive(generation: number, operation: string, path: string): void {
    if (generation !== this.generation) throw diskError("EIO", operation, path);
  }

  private checkParent(operation: string, path: string): void {
    if (!this.exists(parentPath(path))) throw diskError("ENOENT", operation, path);
  }

  /** The path and all below it, parents first. */
  private within(path: string): string[] {
    return [...this.names.keys()].filter((name) => name === path || name.startsWith(`${path}/`)).sort();
  }

  private change(change: NameChange): void {
    this.applyTo(this.names, change);
    this.pending.push(change);
  }

  /** An earlier change of the same names is overtaken: it must not come back at a crash. */
  private makeDurable(change: NameChange): void {
    const index = this.pending.indexOf(change);
    if (index < 0) return;
    this.applyTo(this.durableNames, change);
    this.pending = this.pending.filter((other, i) =>
      other !== change && (i > index || ![...other.keys()].some((path) => change.has(path)))
    );
  }

  private applyTo(names: Map<string, Node>, change: NameChange): void {
    for (const [path, node] of change) {
      if (node === undefined) names.delete(path);
      else names.set(path, node);
    }
  }
}

function touches(change: NameChange, directory: string): boolean {
  return [...change.keys()].some((path) => parentPath(path) === directory);
}

class MemoryFile implements DiskFile {
  readonly slowReads = 0;
  private closed = false;

  constructor(
    readonly path: string,
    private readonly content: MemoryContent,
    private readonly readOnly: boolean,
    private readonly checkAlive: (operation: string) => void,
  ) {}

  size(): number {
    this.check("fstat");
    return this.content.sizeBytes;
  }

  readAt(target: Uint8Array, offset: number): number {
    this.check("read");
    return this.content.read(target, offset);
  }

  prefetch(): Promise<void> {
    return Promise.resolve();
  }

  writeAt(bytes: Uint8Array, offset: number): void {
    this.check("write");
    assert(!this.readOnly, `"${this.path}" was opened for writing`);
    this.content.write(bytes, offset);
  }

  async sync(): Promise<void> {
    this.check("fdatasync");
    const writes = this.content.pendingCount;
    await Promise.resolve();
    this.checkAlive("fdatasync");
    this.content.makeDurable(writes);
  }

  truncate(sizeBytes: number): void {
    this.check("ftruncate");
    assert(!this.readOnly, `"${this.path}" was opened for writing`);
    this.content.truncate(sizeBytes);
  }

  close(): void {
    this.closed = true;
  }

  private check(operation: string): void {
    assert(!this.closed, `"${this.path}" is open`);
    this.checkAlive(operation);
  }
}
