/** `setParameter`: changes server parameters while the server runs; it starts with the usual ones the next time. */
import { CommandError } from "../base/mod.ts";
import type { BsonWriter } from "../bson/mod.ts";
import type { Command, CommandCall } from "./command.ts";
import { isGenericArgument } from "./generic.ts";
import { parameterNamed } from "./parameters.ts";

export const setParameter: Command = {
  name: "setParameter",
  help: "set a server parameter: {setParameter: 1, name: value}",
  adminOnly: true,
  run: runSetParameter,
};

function runSetParameter(call: CommandCall, reply: BsonWriter): void {
  const { services } = call.state;
  const names = [...call.args.names()].filter((name) => name !== "setParameter" && !isGenericArgument(name));
  if (names.length === 0) {
    throw new CommandError("InvalidOptions", "no option found to set, use help:true to see options ");
  }
  // Nothing is changed unless all of them can be.
  const changes = names.map((name) => {
    const parameter = parameterNamed(name);
    if (parameter === undefined) {
      const text = `attempted to set unrecognized parameter [${name}], use help:true to see options `;
      throw new CommandError("InvalidOptions", text);
    }
    if (parameter.change === undefined) {
      throw new CommandError("IllegalOperation", `not allowed to change [${name}] at runtime`);
    }
    return { name, before: parameter.value(services), change: parameter.change };
  });
  for (const { name, change } of changes) change(services, call.args.get(name));
  reply.value("was", changes[0]?.before);
}
