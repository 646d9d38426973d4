/** `fsync`: all that is in memory goes to its files. Locking against writes is not there. */
import { CommandError } from "../base/mod.ts";
import { type BsonWriter, Int32, isNumber } from "../bson/mod.ts";
import { numberOf } from "./arguments.ts";
import type { Command, CommandCall } from "./command.ts";

export const fsync: Command = {
  name: "fsync",
  help: "write what is in memory to the files: {fsync: 1}",
  adminOnly: true,
  run: runFsync,
};

async function runFsync(call: CommandCall, reply: BsonWriter): Promise<void> {
  const lock = call.args.get("lock");
  if (lock !== undefined && lock !== false && !(isNumber(lock) && numberOf(lock) === 0)) {
    throw new CommandError("NotImplemented", "fsync with lock is not implemented yet");
  }
  await call.state.services.router.checkpoint();
  // MongoDB counts its storage engine as one.
  reply.value("numFiles", Int32.of(1));
}
