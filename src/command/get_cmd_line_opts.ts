/** `getCmdLineOpts`: how the server was started. */
import type { BsonWriter } from "../bson/mod.ts";
import { checkFields, type FieldTable } from "./arguments.ts";
import type { Command, CommandCall } from "./command.ts";
import { isGenericArgument } from "./generic.ts";

const FIELDS: FieldTable = { getCmdLineOpts: "any" };

export const getCmdLineOpts: Command = {
  name: "getCmdLineOpts",
  help: "get argv and the options that came of it",
  adminOnly: true,
  run: runGetCmdLineOpts,
};

function runGetCmdLineOpts(call: CommandCall, reply: BsonWriter): void {
  checkFields(call.args, "getCmdLineOpts", FIELDS, isGenericArgument);
  const { argv, parsed } = call.state.services.commandLine;
  reply.value("argv", argv);
  reply.value("parsed", parsed);
}
