/** `getDefaultRWConcern`: what holds for requests that ask for no concern of their own. */
import { BuiltDocument, Int32, UtcDate } from "../bson/mod.ts";
import { checkFields, type FieldTable } from "./arguments.ts";
import type { Command } from "./command.ts";
import { isGenericArgument } from "./generic.ts";

const FIELDS: FieldTable = { getDefaultRWConcern: "any", inMemory: "bool" };

export const getDefaultRWConcern: Command = {
  name: "getDefaultRWConcern",
  help: "the read and write concerns of requests that name none",
  adminOnly: true,
  run: ({ args, operation }, reply) => {
    checkFields(args, "getDefaultRWConcern", FIELDS, isGenericArgument);
    reply.value("defaultReadConcern", BuiltDocument.of({ level: "local" }));
    reply.value("defaultWriteConcern", BuiltDocument.of({ w: "majority", wtimeout: Int32.of(0) }));
    reply.value("defaultWriteConcernSource", "implicit");
    reply.value("defaultReadConcernSource", "implicit");
    if (args.get("inMemory") === true) reply.value("inMemory", true);
    reply.value("localUpdateWallClockTime", new UtcDate(operation.nowMs));
  },
};
