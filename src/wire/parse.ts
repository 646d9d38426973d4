/** From the bytes of one whole message to what the server does with it. */
import { CommandError } from "../base/mod.ts";
import { readInt32 } from "../bson/mod.ts";
import { type Message, MsgFlag, Opcode, ProtocolViolation, type RejectedMessage } from "./message.ts";
import { type MsgEnvelope, parseEnvelope, parseOpMsg } from "./op_msg.ts";
import { LegacyOpcodeError, parseOpQuery } from "./op_query.ts";

/** The opcode in a message's header. */
export function opcodeOf(bytes: Uint8Array): number {
  return readInt32(bytes, 12);
}

/**
 * Reads a whole message that is not compressed.
 *
 * @throws ProtocolViolation when only closing the connection is left
 */
export function parseMessage(bytes: Uint8Array): Message {
  switch (opcodeOf(bytes)) {
    case Opcode.Msg:
      return parseMsg(bytes, parseEnvelope(bytes));
    case Opcode.Query:
      return answered(bytes, () => parseOpQuery(bytes), "query", false);
    case Opcode.GetMore:
      return rejected(bytes, "legacy", new LegacyOpcodeError("OP_GET_MORE"), false);
    default:
      throw new ProtocolViolation(`opcode ${opcodeOf(bytes)} is not known`);
  }
}

function parseMsg(bytes: Uint8Array, envelope: MsgEnvelope): Message {
  return answered(
    bytes,
    () => parseOpMsg(bytes, envelope),
    "msg",
    (envelope.flags & MsgFlag.MoreToCome) !== 0,
  );
}

function answered(
  bytes: Uint8Array,
  parse: () => Message,
  protocol: "msg" | "query",
  moreToCome: boolean,
): Message {
  try {
    return parse();
  } catch (error) {
    if (error instanceof LegacyOpcodeError) return rejected(bytes, "legacy", error, moreToCome);
    if (error instanceof CommandError) return rejected(bytes, protocol, error, moreToCome);
    throw error;
  }
}

function rejected(
  bytes: Uint8Array,
  protocol: RejectedMessage["protocol"],
  error: CommandError,
  moreToCome: boolean,
): RejectedMessage {
  return { kind: "rejected", requestId: readInt32(bytes, 4), protocol, error, moreToCome };
}
