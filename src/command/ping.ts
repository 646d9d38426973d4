/** `ping`: whether the server answers. */
import { checkFields, type FieldTable } from "./arguments.ts";
import type { Command } from "./command.ts";
import { isGenericArgument } from "./generic.ts";

const FIELDS: FieldTable = { ping: "any" };

export const ping: Command = {
  name: "ping",
  help: "a way to check that the server is alive",
  stableApi: true,
  run: (call) => checkFields(call.args, "ping", FIELDS, isGenericArgument),
};
