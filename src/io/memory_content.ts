/**
 * The bytes of one simulated file, in three layers: what a crash leaves for sure, the changes since, in order, and what
 * the program sees (all of them applied).
 */
import type { Random } from "../base/mod.ts";

type Change =
  | { readonly kind: "write"; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: "truncate"; readonly sizeBytes: number };

export class MemoryContent {
  private readonly visible = new GrowingBytes();
  private readonly durable = new GrowingBytes();
  private pending: Change[] = [];
  /** Changes that became durable so far: makes a count of pending ones stay true while others sync. */
  private settled = 0;

  get sizeBytes(): number {
    return this.visible.sizeBytes;
  }

  /** Changes made so far, for `makeDurable`. */
  get pendingCount(): number {
    return this.settled + this.pending.length;
  }

  read(target: Uint8Array, offset: number): number {
    return this.visible.read(target, offset);
  }

  write(bytes: Uint8Array, offset: number): void {
    this.add({ kind: "write", offset, bytes: bytes.slice() });
  }

  truncate(sizeBytes: number): void {
    this.add({ kind: "truncate", sizeBytes });
  }

  /** @param count what `pendingCount` was when the sync began */
  makeDurable(count: number): void {
    const done = this.pending.splice(0, Math.max(0, count - this.settled));
    for (const change of done) applyChange(this.durable, change);
    this.settled += done.length;
  }

  crash(random: Random): void {
    for (const change of this.pending) {
      const fate = random();
      if (fate < 1 / 3) applyChange(this.durable, change);
      else if (fate < 2 / 3 && change.kind === "write") applyChange(this.durable, torn(change, random));
    }
    this.settled += this.pending.length;
    this.pending = [];
    this.visible.copyFrom(this.durable);
  }

  private add(change: Change): void {
    applyChange(this.visible, change);
    this.pending.push(change);
  }
}

function applyChange(bytes: GrowingBytes, change: Change): void {
  if (change.kind === "write") bytes.write(change.bytes, change.offset);
  else bytes.resize(change.sizeBytes);
}

/** The first or the second part of a write. */
function torn(change: Extract<Change, { kind: "write" }>, random: Random): Change {
  const cut = Math.floor(random() * (change.bytes.length + 1));
  return random() < 0.5
    ? { kind: "write", offset: change.offset, bytes: change.bytes.subarray(0, cut) }
    : { kind: "write", offset: change.offset + cut, bytes: change.bytes.subarray(cut) };
}

/** Bytes that grow with zeros between, as a file does. */
class GrowingBytes {
  private buffer = new Uint8Array(0);
  sizeBytes = 0;

  read(target: Uint8Array, offset: number): number {
    const count = Math.max(0, Math.min(target.length, this.sizeBytes - offset));
    target.set(this.buffer.subarray(offset, offset + count));
    return count;
  }

  write(bytes: Uint8Array, offset: number): void {
    if (bytes.length === 0) return;
    const end = offset + bytes.length;
    if (end > this.sizeBytes) this.resize(end);
    this.buffer.set(bytes, offset);
  }

  resize(sizeBytes: number): void {
    if (sizeBytes > this.buffer.length) {
      const grown = new Uint8Array(Math.max(sizeBytes, this.buffer.length * 2));
      grown.set(this.buffer.subarray(0, this.sizeBytes));
      this.buffer = grown;
    }
    if (sizeBytes < this.sizeBytes) this.buffer.fill(0, sizeBytes, this.sizeBytes);
    this.sizeBytes = sizeBytes;
  }

  copyFrom(other: GrowingBytes): void {
    this.buffer = other.buffer.slice();
    this.sizeBytes = other.sizeBytes;
  }
}
