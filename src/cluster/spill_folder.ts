/**
 * The folder of what queries put aside: `spill/`, a file each, named by number. It is emptied when a node opens, whatever
 * the process before left; nothing in it is synced.
 */
import { CommandError } from "../base/mod.ts";
import { type Disk, type DiskFile, isDiskFull } from "../io/mod.ts";
import type { SpillFile, SpillSpace } from "../query/mod.ts";

const DIRECTORY = "spill";

export class SpillFolder implements SpillSpace {
  private lastNumber = 0;

  private constructor(private readonly disk: Disk) {}

  /** Empties the folder. */
  static open(disk: Disk): SpillFolder {
    disk.remove(DIRECTORY);
    return new SpillFolder(disk);
  }

  create(): SpillFile {
    const path = `${DIRECTORY}/${++this.lastNumber}`;
    return named(() => {
      this.disk.makeDirectory(DIRECTORY);
      return new FileInFolder(this.disk, path, this.disk.open(path, "create"));
    });
  }
}

class FileInFolder implements SpillFile {
  sizeBytes = 0;
  private removed = false;

  constructor(private readonly disk: Disk, private readonly path: string, private readonly file: DiskFile) {}

  append(bytes: Uint8Array): void {
    named(() => this.file.writeAt(bytes, this.sizeBytes));
    this.sizeBytes += bytes.length;
  }

  readAt(target: Uint8Array, offset: number): number {
    return this.file.readAt(target, offset);
  }

  remove(): void {
    if (this.removed) return;
    this.removed = true;
    this.file.close();
    this.disk.remove(this.path);
  }
}

/** Runs what may find the device full, and says what was being done. */
function named<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    const message = `no room on the data folder's device for what a query does not hold in memory: ${error}`;
    throw new CommandError("OutOfDiskSpace", message);
  }
}
