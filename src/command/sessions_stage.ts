/** `$listSessions` and `$listLocalSessions`: the sessions that clients hold, one document each. */
import { CommandError } from "../base/mod.ts";
import {
  aliasOfType,
  Binary,
  BsonType,
  BuiltDocument,
  type Document,
  RawDocument,
  typeOf,
  UtcDate,
  type Value,
} from "../bson/mod.ts";
import { Arguments, checkFields, checkType } from "./arguments.ts";
import type { CommandCall } from "./command.ts";

/** @throws CommandError when the specification of a stage of that name is bad */
export function checkSessionsSpec(name: string, spec: Value): void {
  if (!(spec instanceof RawDocument)) {
    throw new CommandError(
      "TypeMismatch",
      `${name} options must be specified in an object, but found: ${aliasOfType(typeOf(spec))}`,
    );
  }
  const args = new Arguments(spec);
  checkFields(args, name, { allUsers: "bool", users: "array" });
  const users = args.array("users");
  users?.forEach((user, i) => checkUser(`${name}.users`, user, i));
  if (args.get("allUsers") !== true || users === undefined || users.length === 0) return;
  throw new CommandError(
    "UnsupportedFormat",
    `${name} may not specify {allUsers:true} and {users:[...]} at the same time`,
  );
}

function checkUser(path: string, user: Value, index: number): void {
  if (!(user instanceof RawDocument)) {
    return checkType(`${path}.${index}`, path, typeOf(user) ?? BsonType.Undefined, "object");
  }
  checkFields(new Arguments(user), path, { user: "string!", db: "string!" });
}

/** There are no users, so all sessions are anybody's. */
export function heldSessions(call: CommandCall): readonly Document[] {
  const { clock } = call.state.services;
  const offsetMs = clock.nowMs() - clock.monotonicMs();
  return call.state.sessions.all().map(({ id, lastUsedMs }) =>
    BuiltDocument.of({
      _id: BuiltDocument.of({ id: uuidOf(id), uid: new Binary(NO_USER, 0) }),
      lastUse: new UtcDate(Math.floor(lastUsedMs + offsetMs)),
    })
  );
}

/** SHA-256 of the empty text, which MongoDB has for a user without a name. */
const NO_USER = Uint8Array.from(
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".match(/../g)!,
  (byte) => parseInt(byte, 16),
);

function uuidOf(text: string): Binary {
  return new Binary(
    Uint8Array.from(text.replaceAll("-", "").match(/../g)!, (byte) => parseInt(byte, 16)),
    Binary.SUBTYPE_UUID,
  );
}
