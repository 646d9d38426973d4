/** `startSession`: a new logical session, named by the server. */
import { SESSION_TIMEOUT_MINUTES } from "../base/mod.ts";
import { Binary, type BsonWriter, BuiltDocument, Int32 } from "../bson/mod.ts";
import type { Command, CommandCall } from "./command.ts";
import { sessionIdText } from "./sessions.ts";

export const startSession: Command = {
  name: "startSession",
  help: "start a logical session",
  run: runStartSession,
};

function runStartSession(call: CommandCall, reply: BsonWriter): void {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const id = new Binary(bytes, Binary.SUBTYPE_UUID);
  call.state.sessions.use(sessionIdText(id));
  reply.value("id", BuiltDocument.of({ id }));
  reply.value("timeoutMinutes", Int32.of(SESSION_TIMEOUT_MINUTES));
}
