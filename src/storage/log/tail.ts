/**
 * The file that records are appended to, and where in it: `synced ≤ end ≤ allocated`.
 *
 *     │ header │ records, durable │ records, written │ zeros (or an earlier use's bytes) │
 *     0                        synced               end                              allocated
 */
import { assert } from "../../base/mod.ts";
import type { DiskFile } from "../../io/mod.ts";
import type { FileStart } from "./file_start.ts";
import { FILE_HEADER_BYTES, type WritableLogFile } from "./log_file.ts";
import type { FileIdentity } from "./record.ts";

export class LogTail {
  readonly identity: FileIdentity;
  /** What its first record says, or will say. */
  readonly start: FileStart;
  /** The highest index of each group that has entries here. */
  readonly lastIndexes: Map<number, number>;
  private readonly file: DiskFile;
  private allocated: number;
  private endOffset: number;
  private syncedOffset: number;
  /** Where a failed write or sync may have left bytes of records that never were. */
  private dirtyEnd = 0;

  constructor(
    writable: WritableLogFile,
    start: FileStart,
    end = FILE_HEADER_BYTES,
    lastIndexes: Map<number, number> = new Map(),
  ) {
    this.file = writable.file;
    this.identity = writable.identity;
    this.start = start;
    this.lastIndexes = lastIndexes;
    this.allocated = writable.file.size();
    this.endOffset = end;
    this.syncedOffset = end;
  }

  /** Where the next record starts. */
  get end(): number {
    return this.endOffset;
  }

  /** Up to where records are durable. */
  get synced(): number {
    return this.syncedOffset;
  }

  get sizeBytes(): number {
    return this.allocated;
  }

  /** Whether the first record, the positions, is there. */
  get isStarted(): boolean {
    return this.endOffset > FILE_HEADER_BYTES;
  }

  /**
   * Appends records and makes them durable; they count only when it resolves.
   *
   * @param grownSize the size that the file shall have at least, filled with zeros
   */
  async writeDurably(records: Uint8Array, grownSize: number): Promise<void> {
    this.put(records, grownSize);
    await this.file.sync();
    this.advance(records.length);
    this.syncedOffset = this.endOffset;
  }

  /** Appends records, not yet durable. */
  write(records: Uint8Array, grownSize: number): void {
    this.put(records, grownSize);
    this.advance(records.length);
  }

  /** Makes what was appended before the call durable. */
  async sync(): Promise<void> {
    const end = this.endOffset;
    await this.file.sync();
    this.syncedOffset = Math.max(this.syncedOffset, end);
  }

  private put(records: Uint8Array, grownSize: number): void {
    const recordsEnd = this.endOffset + records.length;
    const size = Math.max(recordsEnd, grownSize);
    this.dirtyEnd = size;
    this.file.writeAt(records, this.endOffset);
    if (recordsEnd > this.allocated) {
      this.file.writeAt(new Uint8Array(size - recordsEnd), recordsEnd);
      this.allocated = size;
    }
  }

  private advance(bytes: number): void {
    this.endOffset += bytes;
    this.dirtyEnd = 0;
    assert(this.endOffset <= this.allocated, "the log's records lie inside its file");
  }

  /** Overwrites with zeros what a failed write or sync left behind, durably; nothing when there is nothing. */
  async repair(): Promise<void> {
    if (this.dirtyEnd === 0) return;
    await this.eraseBehindEnd(this.dirtyEnd);
    this.dirtyEnd = 0;
  }

  /** Overwrites with zeros all from the end up to `offset` that the file holds, durably. */
  async eraseBehindEnd(offset: number): Promise<void> {
    this.allocated = this.file.size();
    const end = Math.min(offset, this.allocated);
    if (end > this.endOffset) this.file.writeAt(new Uint8Array(end - this.endOffset), this.endOffset);
    await this.file.sync();
  }

  close(): void {
    this.file.close();
  }
}
