import assert from "node:assert/strict";
import { MAX_MESSAGE_BYTES, seededRandom } from "../base/mod.ts";
import { FrameReader } from "./frame.ts";
import { ProtocolViolation } from "./message.ts";

/** A message of `length` bytes whose content tells its place. */
function frame(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 4; i < length; i++) bytes[i] = (i * 31 + seed) & 0xff;
  new DataView(bytes.buffer).setInt32(0, length, true);
  return bytes;
}

/** Feeds a stream in pieces of the sizes that `pieceSize` gives and returns all messages. */
function cut(stream: Uint8Array, pieceSize: () => number): Uint8Array[] {
  const reader = new FrameReader();
  const messages: Uint8Array[] = [];
  for (let at = 0; at < stream.length;) {
    const target = reader.target();
    assert.ok(target.length > 0);
    const size = Math.min(pieceSize(), target.length, stream.length - at);
    target.set(stream.subarray(at, at + size));
    reader.filled(size);
    at += size;
    for (let message = reader.next(); message !== undefined; message = reader.next()) messages.push(message);
  }
  return messages;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

const FRAMES = [16, 17, 4096, 21, 4095, 16, 70_000, 300, 600_000, 16].map((length, i) => frame(length, i));

Deno.test("messages come out whole however the stream is cut", () => {
  const random = seededRandom(4);
  const pieces: Record<string, () => number> = {
    "all at once": () => Infinity,
    "one byte less than a buffer": () => 4095,
    "three bytes": () => 3,
    "random": () => 1 + Math.floor(random() * 9000),
  };
  for (const [name, pieceSize] of Object.entries(pieces)) {
    assert.deepEqual(cut(concat(FRAMES), pieceSize), FRAMES, name);
  }
});

Deno.test("messages come out whole byte by byte", () => {
  const frames = [16, 17, 5000, 16, 4096].map((length, i) => frame(length, i));
  assert.deepEqual(cut(concat(frames), () => 1), frames);
});

Deno.test("each message owns its buffer", () => {
  const [first, second] = cut(concat([frame(20, 1), frame(20, 2)]), () => Infinity);
  first!.fill(0);
  assert.deepEqual(second, frame(20, 2));
});

Deno.test("impossible lengths are refused as soon as they are seen", () => {
  for (const length of [0, 15, -1, -2147483648, MAX_MESSAGE_BYTES + 1, 2147483647]) {
    const reader = new FrameReader();
    new DataView(reader.target().buffer).setInt32(0, length, true);
    reader.filled(4);
    assert.throws(() => reader.next(), ProtocolViolation, String(length));
  }
});

Deno.test("a message that is only announced takes no room", () => {
  const reader = new FrameReader();
  const head = reader.target();
  new DataView(head.buffer).setInt32(0, MAX_MESSAGE_BYTES, true);
  reader.filled(16);
  assert.equal(reader.next(), undefined);
  assert.ok(reader.target().buffer.byteLength <= 512 * 1024);
});

Deno.test("the longest message is taken", () => {
  const longest = frame(MAX_MESSAGE_BYTES, 3);
  const [message] = cut(longest, () => 1 << 20);
  assert.equal(message!.length, MAX_MESSAGE_BYTES);
  assert.equal(message![MAX_MESSAGE_BYTES - 1], longest[MAX_MESSAGE_BYTES - 1]);
});
