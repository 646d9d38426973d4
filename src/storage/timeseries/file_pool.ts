/**
 * Open files to read from, few at a time: a file is opened when it is read, and the one unused for longest is closed once
 * there are too many. So a store may have any number of segments.
 */
import type { Disk, DiskFile } from "../../io/mod.ts";

export class FilePool {
  /** From the one unused for longest on. */
  private readonly files = new Map<string, DiskFile>();

  constructor(private readonly disk: Disk, private readonly limit: number) {}

  /** Files open now. */
  get size(): number {
    return this.files.size;
  }

  /** The file, opened if need be: to be used at once, not kept. */
  file(path: string): DiskFile {
    const known = this.files.get(path);
    if (known !== undefined) {
      this.files.delete(path);
      this.files.set(path, known);
      return known;
    }
    const file = this.disk.open(path, "read");
    this.files.set(path, file);
    for (const [oldest, open] of this.files) {
      if (this.files.size <= this.limit) break;
      this.files.delete(oldest);
      open.close();
    }
    return file;
  }

  /** Gives an open file away: the caller closes it. */
  take(path: string): DiskFile {
    const file = this.file(path);
    this.files.delete(path);
    return file;
  }

  /** Closes the file if it is open. */
  close(path: string): void {
    this.files.get(path)?.close();
    this.files.delete(path);
  }

  closeAll(): void {
    for (const file of this.files.values()) file.close();
    this.files.clear();
  }
}
