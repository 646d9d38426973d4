/** `getParameter`: the few parameters of MongoDB that say something true about ChronoGo. */
import { CommandError } from "../base/mod.ts";
import { type BsonWriter, BuiltDocument, Document, Int32, type Value } from "../bson/mod.ts";
import type { Command, CommandCall } from "./command.ts";
import { isGenericArgument } from "./generic.ts";
import { FEATURE_COMPATIBILITY_VERSION } from "./version.ts";

const PARAMETERS: Readonly<Record<string, Value>> = {
  authenticationMechanisms: [],
  cursorTimeoutMillis: Int32.of(600_000),
  enableTestCommands: false,
  featureCompatibilityVersion: BuiltDocument.of({ version: FEATURE_COMPATIBILITY_VERSION }),
  localLogicalSessionTimeoutMinutes: Int32.of(30),
  logLevel: Int32.of(0),
  maxBSONDepth: Int32.of(200),
  requireApiVersion: false,
};

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
  for (const name of names) reply.value(name, details ? detailed(PARAMETERS[name]) : PARAMETERS[name]);
}

function namesAsked(call: CommandCall): readonly string[] {
  return [...call.args.names()].filter((name) =>
    name !== "getParameter" && !isGenericArgument(name) && Object.hasOwn(PARAMETERS, name)
  );
}

function detailed(value: Value): Document {
  return BuiltDocument.of({ value, settableAtRuntime: false, settableAtStartup: false });
}
