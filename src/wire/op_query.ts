/**
 * OP_QUERY, which drivers still use for the first hello of a connection; all else in it gets the error of MongoDB 8.0.
 *
 *     body  int32 flags | namespace, UTF-8 | 0x00 | int32 skip | int32 numberToReturn | document | [document]
 */
import { CommandError } from "../base/mod.ts";
import { RawDocument, readInt32, readText, validateDocument } from "../bson/mod.ts";
import { type CommandMessage, HEADER_BYTES, ProtocolViolation } from "./message.ts";

const EXHAUST_FLAG = 1 << 6;
const COMMAND_SUFFIX = ".$cmd";
const LEGACY_URL = "https://dochub.mongodb.org/core/legacy-opcode-removal";

/** The old opcodes that MongoDB answers with an error rather than by closing the connection. */
export class LegacyOpcodeError extends CommandError {
  constructor(opcode: string) {
    super(
      5739101,
      `${opcode} is no longer supported. The client driver may require an upgrade. For more details see ${LEGACY_URL}`,
    );
  }
}

/**
 * Reads an OP_QUERY that is a command.
 *
 * @throws LegacyOpcodeError when it is a query, CommandError when its content is bad, ProtocolViolation when it is cut
 */
export function parseOpQuery(bytes: Uint8Array): CommandMessage {
  const nameStart = HEADER_BYTES + 4;
  const nameEnd = bytes.indexOf(0, nameStart);
  if (nameEnd < 0 || nameEnd + 9 > bytes.length) throw new ProtocolViolation("OP_QUERY is too short");
  const namespace = readText(bytes, nameStart, nameEnd);
  if (!namespace.endsWith(COMMAND_SUFFIX)) throw new LegacyOpcodeError("OP_QUERY");
  const numberToReturn = readInt32(bytes, nameEnd + 5);
  if (numberToReturn !== 1 && numberToReturn !== -1) {
    throw new CommandError(
      16979,
      `Bad numberToReturn (${numberToReturn}) for $cmd type ns - can only be 1 or -1`,
    );
  }
  const start = nameEnd + 9;
  validateDocument(bytes, start, bytes.length);
  const document = new RawDocument(bytes, start);
  if ((readInt32(bytes, HEADER_BYTES) & EXHAUST_FLAG) !== 0) {
    throw new CommandError(18527, `The 'exhaust' OP_QUERY flag is invalid for commands: ${namespace}`);
  }
  return {
    kind: "command",
    requestId: readInt32(bytes, 4),
    protocol: "query",
    db: namespace.slice(0, -COMMAND_SUFFIX.length),
    body: unwrap(document),
    sequences: [],
    moreToCome: false,
    exhaustAllowed: false,
    checksum: false,
  };
}

/** Old clients wrap the command: {$query: {…}, $readPreference: …}. */
function unwrap(document: RawDocument): RawDocument {
  const inner = document.get("$query") ?? document.get("query");
  const first = document.names()[0];
  return inner instanceof RawDocument && (first === "$query" || first === "query") ? inner : document;
}
