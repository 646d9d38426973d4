/**
 * Messages of the MongoDB wire protocol.
 *
 *     message  int32 length (of all) | int32 requestId | int32 responseTo | int32 opcode | body
 *
 * A request is a sum type by what the server does with it: run a command, or answer an old client with an error.
 */
import type { RawDocument } from "../bson/mod.ts";

export const HEADER_BYTES = 16;

export const Opcode = { Reply: 1, Query: 2004, GetMore: 2005, Compressed: 2012, Msg: 2013 } as const;

/** Flag bits of OP_MSG; the lower 16 must be known to the receiver, the upper 16 may be ignored. */
export const MsgFlag = { ChecksumPresent: 1, MoreToCome: 2, ExhaustAllowed: 1 << 16 } as const;

/** Documents that stand beside the body of an OP_MSG, under the name of the command's field that they are. */
export interface DocumentSequence {
  readonly name: string;
  readonly documents: readonly RawDocument[];
  /**
   * Whether all that is in the documents was checked. Where not, their lengths were: who takes them checks the rest before
   * any of them is stored.
   */
  readonly areChecked: boolean;
}

/** A command to run. */
export interface CommandMessage {
  readonly kind: "command";
  readonly requestId: number;
  /** How it came, and so how it is answered. */
  readonly protocol: "msg" | "query";
  readonly db: string | undefined;
  readonly body: RawDocument;
  readonly sequences: readonly DocumentSequence[];
  /** The client wants no answer. */
  readonly moreToCome: boolean;
  /** The server may send more than one answer. */
  readonly exhaustAllowed: boolean;
  /** The request carried a checksum: so must the answer. */
  readonly checksum: boolean;
}

/** A well-framed message whose content gets an error for an answer. */
export interface RejectedMessage {
  readonly kind: "rejected";
  readonly requestId: number;
  readonly protocol: "msg" | "query" | "legacy";
  readonly error: Error;
  /** The client wants no answer. */
  readonly moreToCome: boolean;
}

export type Message = CommandMessage | RejectedMessage;

/** The peer broke the protocol in a way that has no answer: the connection is closed, as MongoDB does. */
export class ProtocolViolation extends Error {
  override readonly name = "ProtocolViolation";
}
