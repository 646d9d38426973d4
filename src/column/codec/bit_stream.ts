/** Bits one after another, from the lowest bit of the first byte up; the last byte is padded with zeros. */

export class BitWriter {
  private bytes: Uint8Array<ArrayBuffer>;
  private length = 0;
  private bits = 0;
  private filled = 0;

  constructor(initialBytes: number) {
    this.bytes = new Uint8Array(initialBytes + 4);
  }

  /** Writes the lowest `width` bits (0 … 32) of `value`; the others must be zero, unless all 32 are written. */
  write(value: number, width: number): void {
    this.bits |= value << this.filled;
    this.filled += width;
    if (this.filled < 32) return;
    this.flushWord();
    this.filled -= 32;
    this.bits = this.filled === 0 ? 0 : value >>> (width - this.filled);
  }

  /** All that was written, padded to whole bytes. Ends the stream. */
  finish(): Uint8Array<ArrayBuffer> {
    const rest = (this.filled + 7) >> 3;
    this.flushWord();
    return this.bytes.subarray(0, this.length - 4 + rest);
  }

  private flushWord(): void {
    if (this.length + 4 > this.bytes.length) {
      const grown = new Uint8Array(this.bytes.length * 2);
      grown.set(this.bytes);
      this.bytes = grown;
    }
    this.bytes[this.length] = this.bits;
    this.bytes[this.length + 1] = this.bits >>> 8;
    this.bytes[this.length + 2] = this.bits >>> 16;
    this.bytes[this.length + 3] = this.bits >>> 24;
    this.length += 4;
  }
}

export class BitReader {
  private at = 0;
  private bits = 0;
  private filled = 0;

  constructor(private readonly bytes: Uint8Array) {}

  /** The next `width` bits (0 … 32), unsigned. */
  read(width: number): number {
    if (width === 0) return 0;
    const mask = width === 32 ? -1 : (1 << width) - 1;
    if (this.filled >= width) {
      const value = this.bits & mask;
      this.bits = width === 32 ? 0 : this.bits >>> width;
      this.filled -= width;
      return value >>> 0;
    }
    const { bytes, at } = this;
    // Bytes beyond the end read as undefined, which the shifts take for zero.
    const next = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    this.at += 4;
    const value = (this.bits | (next << this.filled)) & mask;
    const used = width - this.filled;
    this.bits = used === 32 ? 0 : next >>> used;
    this.filled = 32 - used;
    return value >>> 0;
  }
}
