/** `features`: what old clients asked before there was `hello`. */
import { BuiltDocument } from "../bson/mod.ts";
import { checkFields, type FieldTable } from "./arguments.ts";
import type { Command } from "./command.ts";
import { isGenericArgument } from "./generic.ts";

const FIELDS: FieldTable = { features: "any", oidReset: "any" };
/** What stands for the machine in ids that a server makes; these are wholly random here. */
const MACHINE = 0n;

export const features: Command = {
  name: "features",
  help: "what the server can do, for old clients",
  run: ({ args }, reply) => {
    checkFields(args, "features", FIELDS, isGenericArgument);
    reply.value("js", BuiltDocument.of({ utf8: true }));
    if (args.has("oidReset")) reply.value("oidMachineOld", MACHINE);
    reply.value("oidMachine", MACHINE);
  },
};
