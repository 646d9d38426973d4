/** The MongoDB wire protocol: bytes to messages and back. Knows neither sockets nor commands. */
export { FrameReader } from "./frame.ts";
export { HTTP_ANSWER, HttpRequest } from "./http_request.ts";
export {
  type CommandMessage,
  type DocumentSequence,
  HEADER_BYTES,
  type Message,
  MsgFlag,
  Opcode,
  ProtocolViolation,
  type RejectedMessage,
} from "./message.ts";
export { compressMessage, type Compressor, COMPRESSORS, expandMessage } from "./op_compressed.ts";
export { opcodeOf, parseMessage } from "./parse.ts";
export { beginReply, endReply, type ReplyEnvelope } from "./reply.ts";
