/** `getLog`: the last lines of the log, and the warnings of the start. */
import { CommandError } from "../base/mod.ts";
import { type BsonWriter, Int32 } from "../bson/mod.ts";
import { checkFields, type FieldTable } from "./arguments.ts";
import type { Command, CommandCall } from "./command.ts";
import { isGenericArgument } from "./generic.ts";

const FIELDS: FieldTable = { getLog: "string!" };

export const getLog: Command = {
  name: "getLog",
  help: "{getLog: '*'} OR {getLog: 'global'} OR {getLog: 'startupWarnings'}",
  adminOnly: true,
  run: runGetLog,
};

function runGetLog(call: CommandCall, reply: BsonWriter): void {
  checkFields(call.args, "getLog", FIELDS, isGenericArgument);
  const { logLines } = call.state.services;
  const name = call.args.string("getLog");
  if (name === "*") return reply.value("names", ["global", "startupWarnings"]);
  if (name !== "global" && name !== "startupWarnings") {
    throw new CommandError("OperationFailed", `No log named '${name}'`);
  }
  const warnings = logLines.startupWarnings();
  reply.value("totalLinesWritten", Int32.of(name === "global" ? logLines.total : warnings.length));
  reply.value("log", name === "global" ? logLines.lines() : warnings);
}
