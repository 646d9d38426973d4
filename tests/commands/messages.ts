/** Messages of the wire protocol built by hand, good and bad ones, for tests of framing and of the server. */
import { serialize } from "bson";
import { crc32c } from "../../src/base/mod.ts";

const CHECKSUM_PRESENT = 1;
const CHECKSUM_BYTES = 4;

export type Section = Uint8Array;

/** A whole message; `length` overrides the true one. */
export function message(
  opcode: number,
  body: Uint8Array,
  options: { readonly length?: number; readonly requestId?: number } = {},
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(16 + body.length);
  const view = new DataView(bytes.buffer);
  view.setInt32(0, options.length ?? bytes.length, true);
  view.setInt32(4, options.requestId ?? 7, true);
  view.setInt32(12, opcode, true);
  bytes.set(body, 16);
  return bytes;
}

/** An OP_MSG of these sections. */
export function opMsg(flags: number, ...sections: readonly Section[]): Uint8Array<ArrayBuffer> {
  const flagBytes = new Uint8Array(4);
  new DataView(flagBytes.buffer).setUint32(0, flags, true);
  return message(2013, concat(flagBytes, ...sections));
}

/** The same message with the flag checksumPresent and, at its end, the CRC-32C of all before it. */
export function withChecksum(plain: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = concat(plain, new Uint8Array(CHECKSUM_BYTES));
  const view = new DataView(bytes.buffer);
  view.setInt32(0, bytes.length, true);
  view.setUint32(16, view.getUint32(16, true) | CHECKSUM_PRESENT, true);
  view.setUint32(plain.length, crc32c(bytes, 0, plain.length), true);
  return bytes;
}

export function bodySection(document: Record<string, unknown>): Section {
  return concat(Uint8Array.of(0), serialize(document));
}

/** A document sequence; `size` overrides its true size. */
export function sequenceSection(
  name: string,
  documents: readonly Record<string, unknown>[],
  size?: number,
): Section {
  const content = concat(
    new TextEncoder().encode(`${name}\0`),
    ...documents.map((document) => serialize(document)),
  );
  const head = new Uint8Array(5);
  head[0] = 1;
  new DataView(head.buffer).setInt32(1, size ?? content.length + 4, true);
  return concat(head, content);
}

/** A command as OP_QUERY. */
export function opQuery(
  namespace: string,
  document: Record<string, unknown>,
  options: { readonly numberToReturn?: number; readonly flags?: number } = {},
): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(`${namespace}\0`);
  const head = new Uint8Array(4);
  new DataView(head.buffer).setInt32(0, options.flags ?? 0, true);
  const range = new Uint8Array(8);
  new DataView(range.buffer).setInt32(4, options.numberToReturn ?? -1, true);
  return message(2004, concat(head, name, range, serialize(document)));
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A document `levels` deep below its top. */
export function nested(levels: number): Record<string, unknown> {
  let document: Record<string, unknown> = {};
  for (let i = 0; i < levels; i++) document = { a: document };
  return document;
}
