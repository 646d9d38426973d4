/**
 * OP_MSG, the protocol of commands and answers.
 *
 *     body      uint32 flags | section+ | [uint32 CRC-32C of all before it, header included]
 *     section   0x00 | document                                      the body, exactly one
 *               0x01 | int32 size | name, UTF-8 | 0x00 | document*   a document sequence
 */
import { CommandError, crc32c, INSERT_PIECE_BYTES } from "../base/mod.ts";
import {
  RawDocument,
  readInt32,
  readText,
  SHALLOW_BYTES,
  validateDocument,
  validateDocuments,
  validateLength,
} from "../bson/mod.ts";
import {
  type CommandMessage,
  type DocumentSequence,
  HEADER_BYTES,
  MsgFlag,
  ProtocolViolation,
} from "./message.ts";

const SECTIONS_START = HEADER_BYTES + 4;
const REQUIRED_FLAGS = 0xffff;
const CHECKSUM_BYTES = 4;
/** What an insert stores: measurements are checked where they are taken apart, in the same walk over their bytes. */
const STORED = "documents";

/** What must be known of an OP_MSG even when its sections are bad. */
export interface MsgEnvelope {
  readonly flags: number;
  /** Where the sections end, exclusive. */
  readonly sectionsEnd: number;
}

/**
 * Reads flags and checksum of a whole OP_MSG.
 *
 * @throws ProtocolViolation when it is too short, a required flag is unknown or the checksum is wrong
 */
export function parseEnvelope(bytes: Uint8Array): MsgEnvelope {
  if (bytes.length < SECTIONS_START) throw new ProtocolViolation("OP_MSG is too short for its flags");
  const flags = readInt32(bytes, HEADER_BYTES);
  const unknown = flags & REQUIRED_FLAGS & ~(MsgFlag.ChecksumPresent | MsgFlag.MoreToCome);
  if (unknown !== 0) {
    throw new ProtocolViolation(`OP_MSG has unknown required flags 0x${unknown.toString(16)}`);
  }
  if ((flags & MsgFlag.ChecksumPresent) === 0) return { flags, sectionsEnd: bytes.length };
  const sectionsEnd = bytes.length - CHECKSUM_BYTES;
  if (sectionsEnd < SECTIONS_START || crc32c(bytes, 0, sectionsEnd) !== readInt32(bytes, sectionsEnd) >>> 0) {
    throw new ProtocolViolation("OP_MSG does not match its checksum");
  }
  return { flags, sectionsEnd };
}

/**
 * Reads the sections of an OP_MSG. All documents in it are validated, but for those to be stored where they are short.
 *
 * @throws CommandError with MongoDB's codes for bad sections and bad BSON
 */
export function parseOpMsg(bytes: Uint8Array, envelope: MsgEnvelope): CommandMessage {
  const { flags, sectionsEnd } = envelope;
  let body: RawDocument | undefined;
  const sequences: DocumentSequence[] = [];
  for (let at = SECTIONS_START; at < sectionsEnd;) {
    const kind = bytes[at++]!;
    if (kind === 0) {
      if (body !== undefined) throw new CommandError(40430, "Multiple body sections in message");
      const start = at;
      at = validateDocument(bytes, start, sectionsEnd);
      body = new RawDocument(bytes, start);
    } else if (kind === 1) {
      at = parseSequence(bytes, at, sectionsEnd, sequences);
    } else {
      throw new CommandError(40432, `Unknown section kind ${kind}`);
    }
  }
  if (body === undefined) throw new CommandError(40587, "OP_MSG messages must have a body");
  for (const { name } of sequences) {
    if (body.has(name)) {
      throw new CommandError(40433, `Duplicate field between body and document sequence ${name}`);
    }
  }
  return {
    kind: "command",
    requestId: readInt32(bytes, 4),
    protocol: "msg",
    db: undefined,
    body,
    sequences,
    moreToCome: (flags & MsgFlag.MoreToCome) !== 0,
    exhaustAllowed: (flags & MsgFlag.ExhaustAllowed) !== 0,
    checksum: (flags & MsgFlag.ChecksumPresent) !== 0,
  };
}

/** Adds the sequence whose size field stands at `start`; answers where it ends. */
function parseSequence(bytes: Uint8Array, start: number, end: number, into: DocumentSequence[]): number {
  const size = end - start < 4 ? -1 : readInt32(bytes, start);
  const sequenceEnd = start + size;
  if (size < 5 || sequenceEnd > end) {
    throw new CommandError("Overflow", `Document sequence of ${size} bytes does not fit into its message`);
  }
  const nameEnd = bytes.indexOf(0, start + 4);
  if (nameEnd < 0 || nameEnd >= sequenceEnd) {
    throw new CommandError("Overflow", "The name of a document sequence does not end with a zero byte");
  }
  const name = readText(bytes, start + 4, nameEnd);
  if (into.some((other) => other.name === name)) {
    throw new CommandError(40431, `Duplicate document sequence: ${name}`);
  }
  const documents: RawDocument[] = [];
  let longest = 0;
  for (let at = nameEnd + 1; at < sequenceEnd;) {
    const next = validateLength(bytes, at, sequenceEnd);
    documents.push(new RawDocument(bytes, at));
    longest = Math.max(longest, next - at);
    at = next;
  }
  const areChecked = name !== STORED || size > INSERT_PIECE_BYTES || longest > SHALLOW_BYTES;
  if (areChecked) validateDocuments(documents);
  into.push({ name, documents, areChecked });
  return sequenceEnd;
}
