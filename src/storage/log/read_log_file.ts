/**
 * One file of the log, to look at: its header and its valid records, in order (docs/format/log.md). Whether what lies
 * behind the last of them is a torn tail or damage only shows in the whole log: see `replay`.
 */
import type { Disk } from "../../io/mod.ts";
import { decodeHeader, FILE_HEADER_BYTES } from "./log_file.ts";
import {
  aligned,
  decodePositions,
  decodeRecord,
  LOG_GROUP,
  type LogRecord,
  readUint64,
  validRecordEnd,
} from "./record.ts";

/** A record and where in the file it is. */
export interface PlacedRecord {
  readonly offset: number;
  /** Bytes of the record, without the zeros behind it. */
  readonly sizeBytes: number;
  /** Undefined when its flags are of a later version. */
  readonly record: LogRecord | undefined;
  /** For the log's own record: the last index of each group before this file. */
  readonly positions: ReadonlyMap<number, number> | undefined;
}

export interface LogFileContent {
  readonly sequence: number;
  readonly sizeBytes: number;
  readonly records: readonly PlacedRecord[];
  /** Where the valid records end. */
  readonly end: number;
}

/** Reads a `.log` or `.spare` file. @throws CorruptionError when its header is not one */
export function readLogFile(disk: Disk, path: string): LogFileContent {
  const bytes = readWhole(disk, path);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const sequence = bytes.length < FILE_HEADER_BYTES ? 0 : readUint64(view, 8);
  const identity = decodeHeader(path, bytes, sequence);
  const records: PlacedRecord[] = [];
  let at = FILE_HEADER_BYTES;
  for (;;) {
    const end = validRecordEnd(bytes, view, at, identity);
    if (end === 0) break;
    const record = decodeRecord(bytes, view, at, end);
    const positions = record?.group === LOG_GROUP ? decodePositions(record.payload) : undefined;
    records.push({ offset: at, sizeBytes: end - at, record, positions });
    at = aligned(end);
  }
  return { sequence, sizeBytes: bytes.length, records, end: at };
}

function readWhole(disk: Disk, path: string): Uint8Array {
  const file = disk.open(path, "read");
  try {
    const bytes = new Uint8Array(file.size());
    file.readAt(bytes, 0);
    return bytes;
  } finally {
    file.close();
  }
}
