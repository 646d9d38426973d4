/** `listCommands`: the commands that there are. */
import { BsonType, type BsonWriter, BuiltDocument, type Document } from "../bson/mod.ts";
import type { Command } from "./command.ts";

/** @param commands gives them all, sorted by name */
export function listCommandsCommand(commands: () => readonly Command[]): Command {
  return {
    name: "listCommands",
    help: "get a list of all db commands",
    run: ({ state }, reply) => {
      writeCommands(reply, commands().filter(({ testOnly }) => !testOnly || state.services.testCommands));
    },
  };
}

function writeCommands(reply: BsonWriter, commands: readonly Command[]): void {
  reply.header(BsonType.Object, "commands");
  const document = reply.beginDocument();
  for (const command of commands) reply.value(command.name, describe(command));
  reply.endDocument(document);
}

function describe(command: Command): Document {
  return BuiltDocument.of({
    help: command.help,
    requiresAuth: !command.open,
    secondaryOk: command.kind !== "write",
    adminOnly: command.adminOnly ?? false,
    apiVersions: command.stableApi ? ["1"] : [],
    deprecatedApiVersions: command.deprecated ? ["1"] : [],
  });
}
