/**
 * The files of the log: names, headers, making and using again (docs/format/log.md).
 *
 *     header  0       8          16    20         24  28      32
 *             │ magic │ sequence │ tag │ version  │ 0 │ crc32 │
 *
 * A file gets its `.log` name only when its header is durable, so a `.log` file without a valid header is damaged.
 */
import { CorruptionError, crc32, type Random } from "../../base/mod.ts";
import type { Disk, DiskFile } from "../../io/mod.ts";
import { type FileIdentity, fileIdentity, readUint64, writeUint64 } from "./record.ts";

export const FILE_HEADER_BYTES = 32;
const MAGIC = new TextEncoder().encode("CHRONLOG");
const VERSION = 1;
const NAME = /^(\d{10})\.(log|kept|spare|new)$/;

/** What a file is there for: the log needs it, readers may want it, it is to be used again, it is being made. */
export type Role = "log" | "kept" | "spare" | "new";

/** A file's path; the role is its name's ending. */
export function logPath(directory: string, sequence: number, role: Role = "log"): string {
  return `${directory}/${String(sequence).padStart(10, "0")}.${role}`;
}

/** Sequences of the files of one role, ascending. */
export function listFiles(disk: Disk, directory: string, role: Role): number[] {
  const sequences: number[] = [];
  for (const name of disk.list(directory)) {
    const match = NAME.exec(name);
    if (match !== null && match[2] === role) sequences.push(Number(match[1]));
  }
  return sequences.sort((a, b) => a - b);
}

/** A file that records are appended to. */
export interface WritableLogFile {
  readonly file: DiskFile;
  readonly identity: FileIdentity;
}

/**
 * Makes the file of that sequence, from a spare where there is one; durable, name and all, when it resolves.
 *
 * @param spare the sequence under which a spare lies
 * @param firstBytes zeros that a new file starts with, its header included
 */
export async function makeLogFile(
  disk: Disk,
  directory: string,
  sequence: number,
  spare: number | undefined,
  firstBytes: number,
  random: Random,
): Promise<WritableLogFile> {
  const from = spare === undefined ? logPath(directory, sequence, "new") : logPath(directory, spare, "spare");
  if (spare === undefined) disk.remove(from);
  const file = disk.open(from, spare === undefined ? "create" : "write");
  try {
    const identity = fileIdentity(sequence, drawTag(file, random));
    if (spare === undefined) {
      const first = new Uint8Array(firstBytes);
      first.set(encodeHeader(identity));
      file.writeAt(first, 0);
    } else {
      file.writeAt(encodeHeader(identity), 0);
    }
    await file.sync();
    disk.rename(from, logPath(directory, sequence));
    await disk.syncDirectory(directory);
    return { file, identity };
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Opens a file to append to it; its header was read already. */
export function openForAppend(disk: Disk, directory: string, identity: FileIdentity): WritableLogFile {
  return { file: disk.open(logPath(directory, identity.sequence), "write"), identity };
}

function drawTag(file: DiskFile, random: Random): number {
  const header = new Uint8Array(FILE_HEADER_BYTES);
  file.readAt(header, 0);
  const before = new DataView(header.buffer).getUint32(16, true);
  const tag = Math.floor(random() * 0x100000000) >>> 0;
  return tag === before ? (tag ^ 1) >>> 0 : tag;
}

function encodeHeader({ sequence, tag }: FileIdentity): Uint8Array {
  const bytes = new Uint8Array(FILE_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  writeUint64(view, 8, sequence);
  view.setUint32(16, tag, true);
  view.setUint32(20, VERSION, true);
  view.setUint32(28, crc32(bytes.subarray(0, 28)), true);
  return bytes;
}

/**
 * Reads a header.
 *
 * @param bytes the file's first bytes
 * @throws CorruptionError when it is not the header of that file, or of a version that is not known
 */
export function decodeHeader(path: string, bytes: Uint8Array, sequence: number): FileIdentity {
  if (bytes.length < FILE_HEADER_BYTES) {
    throw new CorruptionError(path, 0, `${bytes.length} bytes, a header takes ${FILE_HEADER_BYTES}`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (MAGIC.some((byte, i) => byte !== bytes[i])) throw new CorruptionError(path, 0, "not a log file");
  const [found, expected] = [view.getUint32(28, true), crc32(bytes.subarray(0, 28))];
  if (found !== expected) {
    throw new CorruptionError(path, 28, `header checksum ${hex(found)}, expected ${hex(expected)}`);
  }
  const version = view.getUint32(20, true);
  if (version !== VERSION) {
    throw new CorruptionError(path, 20, `log format ${version}; this program knows ${VERSION}`);
  }
  if (readUint64(view, 8) !== sequence) {
    throw new CorruptionError(path, 8, `the header says sequence ${readUint64(view, 8)}`);
  }
  return fileIdentity(sequence, view.getUint32(16, true));
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
