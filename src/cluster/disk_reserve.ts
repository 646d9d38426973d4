/**
 * Room on the disk that is taken ahead: a file of zeros that is removed when something has to be written that was
 * promised already. Without it a full disk could refuse what the log holds, after the client was told that its write
 * failed, and do it later all the same.
 */
import type { Disk } from "../io/mod.ts";

const PIECE = new Uint8Array(256 * 1024);

export class DiskReserve {
  private heldBytes = 0;

  /** @param path of the file; what an earlier process left there goes */
  constructor(private readonly disk: Disk, private readonly path: string) {
    disk.remove(path);
  }

  /** Holds at least so many bytes. @throws the disk's error when there is no room; then nothing is held */
  hold(bytes: number): void {
    if (bytes <= this.heldBytes) return;
    this.release();
    const file = this.disk.open(this.path, "create");
    try {
      for (let at = 0; at < bytes; at += PIECE.length) file.writeAt(PIECE, at);
      this.heldBytes = bytes;
    } finally {
      file.close();
      if (this.heldBytes === 0) this.disk.remove(this.path);
    }
  }

  /** Gives up what is held. */
  release(): void {
    this.heldBytes = 0;
    this.disk.remove(this.path);
  }
}
