/**
 * Little-endian bytes, written and read in order. A varint is LEB128: seven bits a byte, the lowest first, the top bit
 * set on all but the last; up to 2⁵³.
 */
import { assert } from "../base/mod.ts";

const INITIAL_BYTES = 256;

export class ByteWriter {
  private buffer: Uint8Array<ArrayBuffer>;
  private view: DataView;
  length = 0;

  constructor(initialBytes = INITIAL_BYTES) {
    this.buffer = new Uint8Array(initialBytes);
    this.view = new DataView(this.buffer.buffer);
  }

  /** All that was written, not copied: valid until the next write. */
  written(): Uint8Array<ArrayBuffer> {
    return this.buffer.subarray(0, this.length);
  }

  /** Forgets all that was written. */
  reset(): void {
    this.length = 0;
  }

  byte(value: number): void {
    this.reserve(1);
    this.buffer[this.length++] = value;
  }

  uint32(value: number): void {
    this.reserve(4);
    this.view.setUint32(this.length, value, true);
    this.length += 4;
  }

  double(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  /** @param value a whole number from 0 to 2⁵³ */
  varint(value: number): void {
    this.reserve(8);
    while (value > 127) {
      const rest = Math.floor(value / 128);
      this.buffer[this.length++] = (value - rest * 128) | 128;
      value = rest;
    }
    this.buffer[this.length++] = value;
  }

  bytes(source: Uint8Array): void {
    this.reserve(source.length);
    this.buffer.set(source, this.length);
    this.length += source.length;
  }

  /** A varint of the length, then the bytes. */
  sizedBytes(source: Uint8Array): void {
    this.varint(source.length);
    this.bytes(source);
  }

  /** Zero bytes up to the next multiple of `size`, at most 8. */
  align(size: number): void {
    this.reserve(size);
    while (this.length % size !== 0) this.buffer[this.length++] = 0;
  }

  /** Overwrites bytes written before. */
  overwrite(at: number, source: Uint8Array): void {
    this.buffer.set(source, at);
  }

  /** Overwrites a word written before. */
  setUint32(at: number, value: number): void {
    this.view.setUint32(at, value, true);
  }

  private reserve(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(this.buffer.length * 2, this.length + bytes));
    grown.set(this.buffer.subarray(0, this.length));
    this.buffer = grown;
    this.view = new DataView(grown.buffer);
  }
}

/** Reads what a `ByteWriter` wrote. Reading beyond the end is a broken invariant: checksums come first. */
export class ByteReader {
  private readonly view: DataView;

  constructor(private readonly source: Uint8Array, private at = 0) {
    this.view = new DataView(source.buffer, source.byteOffset, source.byteLength);
  }

  get position(): number {
    return this.at;
  }

  get remaining(): number {
    return this.source.length - this.at;
  }

  byte(): number {
    assert(this.at < this.source.length, "a byte is left to read");
    return this.source[this.at++]!;
  }

  /** The next byte, which stays the next one. */
  peek(): number {
    assert(this.at < this.source.length, "a byte is left to look at");
    return this.source[this.at]!;
  }

  uint32(): number {
    const value = this.view.getUint32(this.at, true);
    this.at += 4;
    return value;
  }

  double(): number {
    const value = this.view.getFloat64(this.at, true);
    this.at += 8;
    return value;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  }

  /** The next bytes, not copied. */
  bytes(count: number): Uint8Array {
    assert(count <= this.remaining, "the bytes are there to read");
    this.at += count;
    return this.source.subarray(this.at - count, this.at);
  }

  /** Copies the next bytes, which stay the next ones. */
  copyTo(target: Uint8Array, offset: number, count: number): void {
    assert(count <= this.remaining, "the bytes are there to copy");
    target.set(this.source.subarray(this.at, this.at + count), offset);
  }

  skip(count: number): void {
    assert(count <= this.remaining, "the bytes are there to pass over");
    this.at += count;
  }

  sizedBytes(): Uint8Array {
    return this.bytes(this.varint());
  }

  /** Goes on at the next multiple of `size`. */
  align(size: number): void {
    this.at = Math.ceil(this.at / size) * size;
  }
}
