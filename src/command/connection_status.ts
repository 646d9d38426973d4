/** `connectionStatus`: who is logged in on this connection: nobody, as long as there is no access control. */
import { type BsonWriter, BuiltDocument } from "../bson/mod.ts";
import { checkFields, type FieldTable } from "./arguments.ts";
import type { Command, CommandCall } from "./command.ts";
import { isGenericArgument } from "./generic.ts";

const FIELDS: FieldTable = { connectionStatus: "any", showPrivileges: "flag" };

export const connectionStatus: Command = {
  name: "connectionStatus",
  help: "returns connection-specific information such as logged-in users and their roles",
  stableApi: true,
  run: runConnectionStatus,
};

function runConnectionStatus(call: CommandCall, reply: BsonWriter): void {
  checkFields(call.args, "connectionStatus", FIELDS, isGenericArgument);
  const authInfo = BuiltDocument.of({
    authenticatedUsers: [],
    authenticatedUserRoles: [],
    authenticatedUserPrivileges: call.args.flag("showPrivileges") ? [] : undefined,
  });
  reply.value("authInfo", authInfo);
}
