/**
 * How a file of the log begins: which file it is, when it was begun, and the last index of every group before it
 * (docs/format/log.md, Records). Read without the rest of the file.
 */
import { CorruptionError } from "../../base/mod.ts";
import type { Disk, DiskFile } from "../../io/mod.ts";
import { decodeHeader, FILE_HEADER_BYTES, listFiles, logPath, type Role } from "./log_file.ts";
import { decodePositions, decodeRecord, type FileIdentity, LOG_GROUP, validRecordEnd } from "./record.ts";

/** What the first record of a file says. */
export interface FileStart {
  /** The index of the last entry before this file, for every group ever seen. */
  readonly positions: ReadonlyMap<number, number>;
  /** When it was begun, in milliseconds since 1970 by the wall clock, to the second; 0 where nobody noted it. */
  readonly begunMs: number;
}

const SECOND_MS = 1000;
const FIRST_READ_BYTES = 4096;

/** The clusterTime of a positions record. */
export function encodeBegun(begunMs: number): bigint {
  return BigInt(Math.max(0, Math.floor(begunMs / SECOND_MS))) << 32n;
}

/** Milliseconds since 1970 in the clusterTime of a positions record. */
export function decodeBegun(clusterTime: bigint): number {
  return Number(clusterTime >> 32n) * SECOND_MS;
}

/**
 * Reads the start of a file.
 *
 * @returns `start` is undefined where no record is in the file yet
 * @throws CorruptionError when its header is not the one of that file, or its first record not the positions
 */
export function readFileStart(
  disk: Disk,
  directory: string,
  sequence: number,
  role: Role,
): { readonly identity: FileIdentity; readonly sizeBytes: number; readonly start: FileStart | undefined } {
  const path = logPath(directory, sequence, role);
  const file = disk.open(path, "read");
  try {
    const sizeBytes = file.size();
    let bytes = readUpTo(file, Math.min(sizeBytes, FIRST_READ_BYTES));
    const identity = decodeHeader(path, bytes, sequence);
    const recordEnd = FILE_HEADER_BYTES + (bytes.length < FILE_HEADER_BYTES + 4 ? 0 : lengthAt(bytes));
    if (recordEnd > bytes.length && recordEnd <= sizeBytes) bytes = readUpTo(file, recordEnd);
    return { identity, sizeBytes, start: decodeStart(path, bytes, identity) };
  } finally {
    file.close();
  }
}

/** The indexes of the first entries that the log needs; groups that are not in it start at 1. */
export function firstIndexes(disk: Disk, directory: string): ReadonlyMap<number, number> {
  const [oldest] = listFiles(disk, directory, "log");
  const first = new Map<number, number>();
  if (oldest === undefined) return first;
  const { start } = readFileStart(disk, directory, oldest, "log");
  for (const [group, index] of start?.positions ?? []) first.set(group, index + 1);
  return first;
}

function readUpTo(file: DiskFile, end: number): Uint8Array {
  const bytes = new Uint8Array(end);
  return bytes.subarray(0, file.readAt(bytes, 0));
}

function lengthAt(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(FILE_HEADER_BYTES, true);
}

function decodeStart(path: string, bytes: Uint8Array, identity: FileIdentity): FileStart | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const end = validRecordEnd(bytes, view, FILE_HEADER_BYTES, identity);
  if (end === 0) return undefined;
  const record = decodeRecord(bytes, view, FILE_HEADER_BYTES, end);
  const positions = record?.group === LOG_GROUP ? decodePositions(record.payload) : undefined;
  if (record === undefined || positions === undefined) {
    throw new CorruptionError(path, FILE_HEADER_BYTES, "the first record is not the positions");
  }
  return { positions, begunMs: decodeBegun(record.clusterTime) };
}
