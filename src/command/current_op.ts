/** `currentOp`: the operations that run now, those that match what else the command has. */
import { type BsonWriter, BuiltDocument } from "../bson/mod.ts";
import type { Command, CommandCall } from "./command.ts";
import { currentOperations } from "./current_op_stage.ts";
import { filterDocuments } from "./filter_documents.ts";
import { isGenericArgument } from "./generic.ts";

/** Whose operations are meant; without access control everybody's are shown to everybody. */
const OPTIONS: ReadonlySet<string> = new Set(["currentOp", "$all", "$ownOps", "$truncateOps"]);

export const currentOp: Command = {
  name: "currentOp",
  help: "the operations that run now: {currentOp: 1, field: condition, …}",
  adminOnly: true,
  run: (call: CommandCall, reply: BsonWriter) => {
    const { body } = call.args;
    const names = body.names().filter((name) => !OPTIONS.has(name) && !isGenericArgument(name));
    const filter = new BuiltDocument(names, names.map((name) => body.get(name)));
    reply.value("inprog", filterDocuments(currentOperations(call), filter));
  },
};
