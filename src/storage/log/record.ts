/**
 * One record of the log (docs/format/log.md):
 *
 *     0        4       8     12       16      20     24      32            40     42      44
 *     │ length │ crc32 │ tag │ synced │ group │ term │ index │ clusterTime │ kind │ flags │ session… │ payload… │
 *
 * Little-endian; starts at a multiple of 8. The checksum is seeded with the file's sequence and covers all but itself.
 */
import { assert, crc32 } from "../../base/mod.ts";

/** Bytes before the optional session fields. */
export const RECORD_HEADER_BYTES = 44;
/** The group of the log's own records. */
export const LOG_GROUP = 0xffffffff;

const ALIGNMENT = 8;
const FLAG_LSID = 1;
const FLAG_TXN_NUMBER = 2;
const FLAG_STMT_ID = 4;
const FLAG_DONE = 8;
const KNOWN_FLAGS = FLAG_LSID | FLAG_TXN_NUMBER | FLAG_STMT_ID | FLAG_DONE;
const TWO_POW_32 = 4294967296;

/** What an entry may say beside its payload. */
export interface EntryHeader {
  /** Raft's term. */
  readonly term?: number;
  /** Hybrid logical clock, 64 bits, unsigned. */
  readonly clusterTime?: bigint;
  /** The logical session that made it: a UUID's 16 bytes. */
  readonly lsid?: Uint8Array;
  readonly txnNumber?: bigint;
  readonly stmtId?: number;
  /** The statements of sessions that it carries out, in their maker's own form. */
  readonly done?: Uint8Array;
}

/** One entry as the log gives it back. */
export interface LogRecord extends EntryHeader {
  readonly group: number;
  /** The entry's place in its group, from 1. */
  readonly index: number;
  readonly kind: number;
  readonly term: number;
  readonly clusterTime: bigint;
  /** A view of the log's bytes: copy what outlives the call. */
  readonly payload: Uint8Array;
}

/** An entry on its way into the log. */
export interface RecordSource extends EntryHeader {
  readonly group: number;
  readonly kind: number;
  /** The payload's parts, to be joined. */
  readonly payload: readonly Uint8Array[];
}

/** What makes the records of one file its own. */
export interface FileIdentity {
  readonly sequence: number;
  readonly tag: number;
  /** Start of every checksum: the CRC of the sequence. */
  readonly seed: number;
}

export function fileIdentity(sequence: number, tag: number): FileIdentity {
  const bytes = new Uint8Array(8);
  writeUint64(new DataView(bytes.buffer), 0, sequence);
  return { sequence, tag, seed: crc32(bytes) };
}

/** The next place where a record may start. */
export function aligned(offset: number): number {
  return Math.ceil(offset / ALIGNMENT) * ALIGNMENT;
}

/** Bytes of a record, the zeros behind it included. */
export function recordBytes(source: RecordSource): number {
  return aligned(RECORD_HEADER_BYTES + sessionBytes(source) + payloadBytes(source.payload));
}

function payloadBytes(payload: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const part of payload) bytes += part.length;
  return bytes;
}

function sessionBytes({ lsid, txnNumber, stmtId, done }: EntryHeader): number {
  return (lsid ? 16 : 0) + (txnNumber === undefined ? 0 : 8) + (stmtId === undefined ? 0 : 4) +
    (done === undefined ? 0 : 4 + done.length);
}

/**
 * Writes one record at `at` of `target`, and zeros up to where the next one starts.
 *
 * @param synced how far the file is durable, in bytes
 * @returns where the next one starts
 */
export function encodeRecord(
  target: Uint8Array,
  at: number,
  source: RecordSource,
  index: number,
  file: FileIdentity,
  synced: number,
): number {
  const view = new DataView(target.buffer, target.byteOffset + at);
  view.setUint32(8, file.tag, true);
  view.setUint32(12, synced, true);
  view.setUint32(16, source.group, true);
  view.setUint32(20, source.term ?? 0, true);
  writeUint64(view, 24, index);
  view.setBigUint64(32, source.clusterTime ?? 0n, true);
  view.setUint16(40, source.kind, true);
  let end = encodeSession(target, at, view, source);
  for (const part of source.payload) {
    target.set(part, end);
    end += part.length;
  }
  view.setUint32(0, end - at, true);
  view.setUint32(4, checksum(target, at, end, file), true);
  const next = aligned(end);
  target.fill(0, end, next);
  return next;
}

/** Writes flags and session fields; returns where the payload starts in `target`. */
function encodeSession(target: Uint8Array, at: number, view: DataView, source: EntryHeader): number {
  let flags = 0;
  let offset = RECORD_HEADER_BYTES;
  if (source.lsid !== undefined) {
    assert(source.lsid.length === 16, "an lsid has 16 bytes");
    flags |= FLAG_LSID;
    target.set(source.lsid, at + offset);
    offset += 16;
  }
  if (source.txnNumber !== undefined) {
    flags |= FLAG_TXN_NUMBER;
    view.setBigInt64(offset, source.txnNumber, true);
    offset += 8;
  }
  if (source.stmtId !== undefined) {
    flags |= FLAG_STMT_ID;
    view.setInt32(offset, source.stmtId, true);
    offset += 4;
  }
  if (source.done !== undefined) {
    flags |= FLAG_DONE;
    view.setUint32(offset, source.done.length, true);
    target.set(source.done, at + offset + 4);
    offset += 4 + source.done.length;
  }
  view.setUint16(42, flags, true);
  return at + offset;
}

/** Where the valid record at `at` ends (without the zeros behind it), or 0 when there is none. */
export function validRecordEnd(bytes: Uint8Array, view: DataView, at: number, file: FileIdentity): number {
  if (at + RECORD_HEADER_BYTES > bytes.length) return 0;
  const length = view.getUint32(at, true);
  if (length < RECORD_HEADER_BYTES || at + length > bytes.length) return 0;
  if (view.getUint32(at + 8, true) !== file.tag) return 0;
  const end = at + length;
  return view.getUint32(at + 4, true) === checksum(bytes, at, end, file) ? end : 0;
}

/** How far the file was durable when the record at `at` was written. */
export function syncedAtWrite(view: DataView, at: number): number {
  return view.getUint32(at + 12, true);
}

/** Reads the valid record `bytes[at, end)`; undefined when its flags are of a later version. */
export function decodeRecord(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  end: number,
): LogRecord | undefined {
  const flags = view.getUint16(at + 42, true);
  if ((flags & ~KNOWN_FLAGS) !== 0) return undefined;
  let offset = at + RECORD_HEADER_BYTES;
  const session: { lsid?: Uint8Array; txnNumber?: bigint; stmtId?: number; done?: Uint8Array } = {};
  if (flags & FLAG_LSID) {
    session.lsid = bytes.slice(offset, offset + 16);
    offset += 16;
  }
  if (flags & FLAG_TXN_NUMBER) {
    session.txnNumber = view.getBigInt64(offset, true);
    offset += 8;
  }
  if (flags & FLAG_STMT_ID) {
    session.stmtId = view.getInt32(offset, true);
    offset += 4;
  }
  if (flags & FLAG_DONE) {
    const start = offset + 4;
    offset = start + view.getUint32(offset, true);
    session.done = bytes.subarray(start, offset);
  }
  if (offset > end) return undefined;
  return {
    group: view.getUint32(at + 16, true),
    term: view.getUint32(at + 20, true),
    index: readUint64(view, at + 24),
    clusterTime: view.getBigUint64(at + 32, true),
    kind: view.getUint16(at + 40, true),
    ...session,
    payload: bytes.subarray(offset, end),
  };
}

/** The last index of each group, as the payload of a positions record. */
export function encodePositions(positions: ReadonlyMap<number, number>): Uint8Array {
  const bytes = new Uint8Array(positions.size * 12);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [group, index] of positions) {
    view.setUint32(at, group, true);
    writeUint64(view, at + 4, index);
    at += 12;
  }
  return bytes;
}

/** @returns undefined when the payload is not of the right length */
export function decodePositions(payload: Uint8Array): Map<number, number> | undefined {
  if (payload.length % 12 !== 0) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const positions = new Map<number, number>();
  for (let at = 0; at < payload.length; at += 12) {
    positions.set(view.getUint32(at, true), readUint64(view, at + 4));
  }
  return positions;
}

function checksum(bytes: Uint8Array, at: number, end: number, file: FileIdentity): number {
  return crc32(bytes.subarray(at + 8, end), crc32(bytes.subarray(at, at + 4), file.seed));
}

/** An index is a safe integer: 2⁵³ entries take longer than any disk lasts. */
export function writeUint64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % TWO_POW_32, true);
  view.setUint32(at + 4, Math.floor(value / TWO_POW_32), true);
}

export function readUint64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * TWO_POW_32 + view.getUint32(at, true);
}
