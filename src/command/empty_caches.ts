/** `emptyCaches`: decoded pages and look-up tables leave memory, as they do where it gets short; queries read them again. */
import type { BsonWriter } from "../bson/mod.ts";
import { checkFields, type FieldTable } from "./arguments.ts";
import type { Command, CommandCall } from "./command.ts";
import { isGenericArgument } from "./generic.ts";
import { int64OrInt32 } from "./numbers.ts";

const FIELDS: FieldTable = { emptyCaches: "any" };

export const emptyCaches: Command = {
  name: "emptyCaches",
  help: "drop what is kept in memory of the files: {emptyCaches: 1}",
  adminOnly: true,
  run: runEmptyCaches,
};

function runEmptyCaches(call: CommandCall, reply: BsonWriter): void {
  checkFields(call.args, "emptyCaches", FIELDS, isGenericArgument);
  reply.value("bytesFreed", int64OrInt32(call.state.services.memory.emptyCaches()));
}
