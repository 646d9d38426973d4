/** `killCursors`: closes cursors before their end. */
import { type BsonWriter, typeOf } from "../bson/mod.ts";
import { checkFields, checkType, type FieldTable } from "./arguments.ts";
import type { Command, CommandCall } from "./command.ts";
import { isGenericArgument } from "./generic.ts";
import { namespaceOf } from "./namespace.ts";

const FIELDS: FieldTable = { killCursors: "any", cursors: "array!" };

export const killCursors: Command = {
  name: "killCursors",
  help: "kill one or more cursors",
  stableApi: true,
  run: runKillCursors,
};

async function runKillCursors(call: CommandCall, reply: BsonWriter): Promise<void> {
  namespaceOf(call);
  checkFields(call.args, "killCursors", FIELDS, isGenericArgument);
  const ids = call.args.array("cursors")!;
  ids.forEach((id, i) => checkType(`killCursors.cursors.${i}`, String(i), typeOf(id), "long"));
  const killed: bigint[] = [];
  const notFound: bigint[] = [];
  for (const id of ids as readonly bigint[]) {
    (await call.state.cursors.kill(id) ? killed : notFound).push(id);
  }
  reply.value("cursorsKilled", killed);
  reply.value("cursorsNotFound", notFound);
  reply.value("cursorsAlive", []);
  reply.value("cursorsUnknown", []);
}
