/**
 * A disk whose calls fail when a plan says so, over any other disk. A write that fails leaves its first half behind, as
 * a full or dying device does; a sync that fails promises nothing about what it was asked to keep.
 */
import { diskError } from "./disk_error.ts";
import type { ByteRange, Disk, DiskFile, OpenMode } from "./disk.ts";

/** What a call does, by the name of the method that makes it. */
export type DiskOperation =
  | "open"
  | "list"
  | "makeDirectory"
  | "rename"
  | "remove"
  | "syncDirectory"
  | "size"
  | "readAt"
  | "writeAt"
  | "sync"
  | "truncate";

export interface DiskCall {
  /** How many calls came before it: the first is 0. */
  readonly index: number;
  readonly operation: DiskOperation;
  readonly path: string;
}

/** What the device answers. */
export type FaultCode = "EIO" | "ENOSPC";

/** Asked before every call; an answer makes it fail. */
export type FaultPlan = (call: DiskCall) => FaultCode | undefined;

/** A plan that fails the call of that index, and all after it where `forever` is set (the device is gone). */
export function failCall(index: number, code: FaultCode, forever = false): FaultPlan {
  return (call) => call.index === index || (forever && call.index > index) ? code : undefined;
}

export class FaultyDisk implements Disk {
  private callCount = 0;

  constructor(private readonly inner: Disk, private plan: FaultPlan) {}

  /** Calls made so far. */
  get calls(): number {
    return this.callCount;
  }

  /** From now on, other calls fail. Calls go on being counted. */
  setPlan(plan: FaultPlan): void {
    this.plan = plan;
  }

  open(path: string, mode: OpenMode): DiskFile {
    this.call("open", path);
    return new FaultyFile(this.inner.open(path, mode), (operation) => this.fault(operation, path));
  }

  list(directory: string): string[] {
    this.call("list", directory);
    return this.inner.list(directory);
  }

  exists(path: string): boolean {
    return this.inner.exists(path);
  }

  makeDirectory(path: string): void {
    this.call("makeDirectory", path);
    this.inner.makeDirectory(path);
  }

  rename(from: string, to: string): void {
    this.call("rename", from);
    this.inner.rename(from, to);
  }

  remove(path: string): void {
    this.call("remove", path);
    this.inner.remove(path);
  }

  async syncDirectory(path: string): Promise<void> {
    this.call("syncDirectory", path);
    await this.inner.syncDirectory(path);
  }

  lock(path: string): (() => void) | undefined {
    return this.inner.lock(path);
  }

  absolutePath(path: string): string {
    return this.inner.absolutePath(path);
  }

  private call(operation: DiskOperation, path: string): void {
    const error = this.fault(operation, path);
    if (error !== undefined) throw error;
  }

  private fault(operation: DiskOperation, path: string): Error | undefined {
    const code = this.plan({ index: this.callCount++, operation, path });
    return code === undefined ? undefined : diskError(code, operation, path);
  }
}

class FaultyFile implements DiskFile {
  constructor(
    private readonly inner: DiskFile,
    private readonly fault: (operation: DiskOperation) => Error | undefined,
  ) {}

  get path(): string {
    return this.inner.path;
  }

  get slowReads(): number {
    return this.inner.slowReads;
  }

  size(): number {
    this.call("size");
    return this.inner.size();
  }

  readAt(target: Uint8Array, offset: number): number {
    this.call("readAt");
    return this.inner.readAt(target, offset);
  }

  prefetch(ranges: readonly ByteRange[]): Promise<void> {
    return this.inner.prefetch(ranges);
  }

  writeAt(bytes: Uint8Array, offset: number): void {
    const error = this.fault("writeAt");
    if (error === undefined) return this.inner.writeAt(bytes, offset);
    this.inner.writeAt(bytes.subarray(0, bytes.length >> 1), offset);
    throw error;
  }

  async sync(): Promise<void> {
    this.call("sync");
    await this.inner.sync();
  }

  truncate(sizeBytes: number): void {
    this.call("truncate");
    this.inner.truncate(sizeBytes);
  }

  close(): void {
    this.inner.close();
  }

  private call(operation: DiskOperation): void {
    const error = this.fault(operation);
    if (error !== undefined) throw error;
  }
}
