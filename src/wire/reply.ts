/**
 * Answers. The document is written straight behind the header, into the buffer that goes to the socket.
 *
 *     OP_MSG    header | uint32 flags | 0x00 | document | [uint32 CRC-32C]
 *     OP_REPLY  header | int32 flags | int64 cursorId | int32 startingFrom | int32 numberReturned | document
 */
import { crc32c } from "../base/mod.ts";
import { BsonWriter } from "../bson/mod.ts";
import { MsgFlag, Opcode } from "./message.ts";

/** The server can do awaitData: set in every OP_REPLY. */
const AWAIT_CAPABLE = 8;
const QUERY_FAILURE = 2;

export interface ReplyEnvelope {
  readonly requestId: number;
  readonly responseTo: number;
  readonly protocol: "msg" | "query" | "legacy";
  /** Another answer to the same request follows. */
  readonly moreToCome: boolean;
  readonly checksum: boolean;
}

/**
 * A writer that stands where the answer's one document begins.
 *
 * @param buffer memory to write into, whatever it holds
 */
export function beginReply(protocol: ReplyEnvelope["protocol"], buffer?: Uint8Array): BsonWriter {
  const writer = new BsonWriter(buffer);
  for (let i = 0; i < 4; i++) writer.int32(0);
  writer.int32(0);
  if (protocol === "msg") {
    writer.byte(0);
  } else {
    writer.int64(0n);
    writer.int32(0);
    writer.int32(1);
  }
  return writer;
}

/** The whole message, once its document is written; the writer must not be used again. */
export function endReply(writer: BsonWriter, envelope: ReplyEnvelope): Uint8Array {
  if (envelope.checksum) writer.int32(0);
  const bytes = writer.take();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  view.setInt32(0, bytes.length, true);
  view.setInt32(4, envelope.requestId, true);
  view.setInt32(8, envelope.responseTo, true);
  view.setInt32(12, envelope.protocol === "msg" ? Opcode.Msg : Opcode.Reply, true);
  view.setInt32(16, flagsOf(envelope), true);
  if (envelope.checksum) view.setUint32(bytes.length - 4, crc32c(bytes, 0, bytes.length - 4), true);
  return bytes;
}

function flagsOf(envelope: ReplyEnvelope): number {
  if (envelope.protocol === "query") return AWAIT_CAPABLE;
  if (envelope.protocol === "legacy") return QUERY_FAILURE;
  return (envelope.moreToCome ? MsgFlag.MoreToCome : 0) | (envelope.checksum ? MsgFlag.ChecksumPresent : 0);
}
