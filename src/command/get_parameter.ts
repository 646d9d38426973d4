/** `getParameter`: see the table of parameters. */
import { CommandError } from "../base/mod.ts";
import { type BsonWriter, BuiltDocument, Document } from "../bson/mod.ts";
import type { Command, CommandCall } from "./command.ts";
import { isGenericArgument } from "./generic.ts";
import { parameterNamed, PARAMETERS } from "./parameters.ts";

export const getParameter: Command = {
  name: "getParameter",
  help: "get a server parameter: {getParameter: 1, name: 1}, or {getParameter: '*'} for all",
  adminOnly: true,
  run: runGetParameter,
};

function runGetParameter(call: CommandCall, reply: BsonWriter): void {
  const { args } = call;
  const asked = args.get("getParameter");
  const details = asked instanceof Document && asked.get("showDetails") === true;
  const all = asked === "*" || (asked instanceof Document && asked.get("allParameters") === true);
  const names = all ? Object.keys(PARAMETERS) : namesAsked(call);
  if (names.length === 0) throw new CommandError("InvalidOptions", "no option found to get");
  for (const name of names) {
    const parameter = PARAMETERS[name]!;
    const value = parameter.value(call.state.services);
    const settableAtRuntime = parameter.change !== undefined;
    const shown = details ? BuiltDocument.of({ value, settableAtRuntime, settableAtStartup: false }) : value;
    reply.value(name, shown);
  }
}

function namesAsked(call: CommandCall): readonly string[] {
  return [...call.args.names()].filter((name) =>
    name !== "getParameter" && !isGenericArgument(name) && parameterNamed(name) !== undefined
  );
}
