/** The commands that take a list of sessions. */
import { CommandError } from "../base/mod.ts";
import { aliasOfType, Binary, BsonType, Document, RawDocument, typeOf, type Value } from "../bson/mod.ts";
import { Arguments, checkFields, type FieldTable } from "./arguments.ts";
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

/** `killAllSessions`: those of the users named, of which there are none, or all. */
export const killAllSessions: Command = {
  name: "killAllSessions",
  help: "kill all logical sessions and their operations",
  run: (call) => {
    checkFields(call.args, "KillAllSessionsCmd", { killAllSessions: "array!" }, isGenericArgument);
    const user = call.args.array("killAllSessions")![0];
    if (user instanceof Document) {
      const text = `Could not find user "${user.get("user")}" for db "${user.get("db")}"`;
      throw new CommandError("UserNotFound", text);
    }
    call.state.sessions.endAll();
  },
};

/** `killAllSessionsByPattern`: those that a pattern names by id or user; all of them where it names none, or is empty. */
export const killAllSessionsByPattern: Command = {
  name: "killAllSessionsByPattern",
  help: "kill logical sessions by pattern, and their operations",
  run: (call) => {
    checkFields(call.args, PATTERN_OWNER, { killAllSessionsByPattern: "array!" }, isGenericArgument);
    const ids = call.args.array("killAllSessionsByPattern")!.map(patternId);
    if (ids.length === 0 || ids.includes(undefined)) return call.state.sessions.endAll();
    for (const id of ids) call.state.sessions.end(id!);
  },
};

const PATTERN_OWNER = "KillAllSessionsByPatternCmd";
const PATTERN_FIELDS: FieldTable = { lsid: "object", uid: "binData", users: "array", roles: "array" };
const PATTERN_LSID_FIELDS: FieldTable = {
  id: "binData!",
  uid: "binData!",
  txnNumber: "long",
  txnUUID: "binData",
};

/** The id that a pattern names; undefined where it names users, of which there are none but everyone. */
function patternId(item: Value, index: number): string | undefined {
  const path = `${PATTERN_OWNER}.killAllSessionsByPattern`;
  if (!(item instanceof RawDocument)) throw wrongType(`${path}.${index}`, typeOf(item), "object");
  const fields = new Arguments(item);
  checkFields(fields, path, PATTERN_FIELDS);
  const lsid = fields.document("lsid");
  if (!(lsid instanceof RawDocument)) return undefined;
  checkFields(new Arguments(lsid), `${path}.lsid`, PATTERN_LSID_FIELDS);
  return sessionIdText(lsid.get("id") as Binary);
}

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
