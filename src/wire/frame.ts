/**
 * Framing: a stream of bytes, cut anywhere, becomes whole messages, each in a buffer of its own, so that documents
 * inside may stay views of it for as long as they are needed.
 *
 * Small messages are received into one buffer that is used again and copied out of it. A message that is longer than what was
 * received of it gets its buffer at once and the rest is read straight into that. The buffer of a long message grows
 * by doubling as bytes come in, unless the peer has sent a message of that length before: one that only announces 48 MB
 * makes nothing grow, and no byte is copied more than twice.
 */
import { assert, MAX_MESSAGE_BYTES } from "../base/mod.ts";
import { readInt32 } from "../bson/mod.ts";
import { HTTP_GET, HttpRequest } from "./http_request.ts";
import { HEADER_BYTES, ProtocolViolation } from "./message.ts";

const SMALL_RECEIVE_BYTES = 4 * 1024;
const LARGE_RECEIVE_BYTES = 64 * 1024;
/** A message up to this length gets its whole buffer before its bytes are here, whoever sends it. */
const TRUSTED_BYTES = 256 * 1024;

/** Cuts what a connection receives into messages. */
export class FrameReader {
  /** Receives; `[start, end)` is not cut yet. */
  private buffer = new Uint8Array(SMALL_RECEIVE_BYTES);
  private start = 0;
  private end = 0;
  /** The message whose bytes are coming in, when it is longer than what was received. */
  private partial: Uint8Array | undefined;
  private partialLength = 0;
  private partialFilled = 0;
  /** A message up to this length gets its whole buffer before its bytes are here. */
  private trustedBytes = TRUSTED_BYTES;

  /** Bytes of the buffer that a long message is received into; 0 when none is coming in. */
  get partialBytes(): number {
    return this.partial?.length ?? 0;
  }

  /** Where the next bytes are to be read into; never empty. Valid until `filled`. */
  target(): Uint8Array {
    if (this.partial !== undefined) {
      return this.roomInPartial(this.partial);
    }
    if (this.start === this.end) this.start = this.end = 0;
    assert(this.end < this.buffer.length, "messages are taken out before more bytes are received");
    return this.buffer.subarray(this.end);
  }

  /** Says that `count` bytes were read into `target`. */
  filled(count: number): void {
    if (this.partial !== undefined) {
      this.partialFilled += count;
      return;
    }
    this.end += count;
    if (this.end === this.buffer.length && this.buffer.length < LARGE_RECEIVE_BYTES) this.enlarge();
  }

  /**
   * The next whole message, header included, in a buffer of its own; undefined until more bytes come.
   *
   * @throws ProtocolViolation when a length is impossible
   */
  next(): Uint8Array | undefined {
    if (this.partial !== undefined) return this.takePartial();
    const available = this.end - this.start;
    if (available < 4) return this.keepHead(available);
    const length = readInt32(this.buffer, this.start);
    if (length === HTTP_GET) throw new HttpRequest();
    if (length < HEADER_BYTES || length > MAX_MESSAGE_BYTES) {
      throw new ProtocolViolation(
        `message length ${length} is not between ${HEADER_BYTES} and ${MAX_MESSAGE_BYTES}`,
      );
    }
    if (length > available) return this.beginPartial(length);
    const message = this.buffer.slice(this.start, this.start + length);
    this.start += length;
    return message;
  }

  /** A length that is cut itself moves to the buffer's front, so that the rest of it has room. */
  private keepHead(available: number): undefined {
    if (available > 0 && this.start > 0) {
      this.buffer.copyWithin(0, this.start, this.end);
      this.start = 0;
      this.end = available;
    }
    return undefined;
  }

  private beginPartial(length: number): undefined {
    const received = this.buffer.subarray(this.start, this.end);
    this.partial = new Uint8Array(Math.min(length, Math.max(this.trustedBytes, received.length * 2)));
    this.partial.set(received);
    this.partialLength = length;
    this.partialFilled = received.length;
    this.start = this.end = 0;
    return undefined;
  }

  private roomInPartial(partial: Uint8Array): Uint8Array {
    if (this.partialFilled < partial.length) return partial.subarray(this.partialFilled);
    const grown = new Uint8Array(Math.min(this.partialLength, partial.length * 2));
    grown.set(partial);
    this.partial = grown;
    return grown.subarray(this.partialFilled);
  }

  private takePartial(): Uint8Array | undefined {
    if (this.partialFilled < this.partialLength) return undefined;
    const message = this.partial!;
    this.partial = undefined;
    // Messages of one client are mostly alike, and not of the very same length.
    this.trustedBytes = Math.max(TRUSTED_BYTES, 2 * message.length);
    return message;
  }

  /** A connection that fills its buffer is a busy one: it gets a larger one. */
  private enlarge(): void {
    const grown = new Uint8Array(LARGE_RECEIVE_BYTES);
    grown.set(this.buffer.subarray(this.start, this.end));
    this.end -= this.start;
    this.start = 0;
    this.buffer = grown;
  }
}
