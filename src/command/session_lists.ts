/** The commands that take a list of sessions. */
import { CommandError } from "../base/mod.ts";
import { aliasOfType, Binary, BsonType, Document, typeOf, type Value } from "../bson/mod.ts";
import { checkFields } from "./arguments.ts";
import type { Command, CommandCall } from "./command.ts";
import { isGenericArgument } from "./generic.ts";
import { sessionIdText } from "./sessions.ts";

/** `endSessions`: the client is done with them; what they hold is freed. */
export const endSessions: Command = {
  name: "endSessions",
  help: "end a set of logical sessions",
  stableApi: true,
  run: (call) => {
    for (const id of sessionIds(call, "endSessions")) call.state.sessions.end(id);
  },
};

/** `refreshSessions`: the client still needs them. */
export const refreshSessions: Command = {
  name: "refreshSessions",
  help: "renew a set of logical sessions",
  stableApi: true,
  run: (call) => {
    for (const id of sessionIds(call, "refreshSessions")) call.state.sessions.use(id);
  },
};

/** `killSessions`: ends sessions, all of them when the list is empty. */
export const killSessions: Command = {
  name: "killSessions",
  help: "kill a logical session and its operations",
  stableApi: true,
  run: (call) => {
    const ids = sessionIds(call, "killSessions");
    if (ids.length === 0) return call.state.sessions.endAll();
    for (const id of ids) call.state.sessions.end(id);
  },
};

/** `killAllSessions`: those of the users named; there are no users, so all. */
export const killAllSessions: Command = {
  name: "killAllSessions",
  help: "kill all logical sessions and their operations",
  run: (call) => {
    checkFields(call.args, "killAllSessions", { killAllSessions: "array!" }, isGenericArgument);
    call.state.sessions.endAll();
  },
};

function sessionIds(call: CommandCall, name: string): readonly string[] {
  checkFields(call.args, name, { [name]: "array!" }, isGenericArgument);
  return call.args.array(name)!.map((item, i) => sessionId(item, `${name}.${name}FromClient`, i));
}

function sessionId(item: Value, path: string, index: number): string {
  if (!(item instanceof Document)) throw wrongType(`${path}.${index}`, typeOf(item), "object");
  const id = item.get("id");
  if (id instanceof Binary) return sessionIdText(id);
  if (id === undefined) {
    throw new CommandError(40414, `BSON field '${path}.id' is missing but a required field`);
  }
  throw wrongType(`${path}.id`, typeOf(id), "binData");
}

function wrongType(path: string, type: BsonType, expected: string): CommandError {
  return new CommandError(
    "TypeMismatch",
    `BSON field '${path}' is the wrong type '${aliasOfType(type)}', expected type '${expected}'`,
  );
}
