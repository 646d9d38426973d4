/** `logRotate`: the log goes to standard error, and whoever reads that turns its pages. */
import { CommandError } from "../base/mod.ts";
import { aliasOfType, BsonType, isNumber, typeOf } from "../bson/mod.ts";
import { checkFields, type FieldTable } from "./arguments.ts";
import type { Command } from "./command.ts";
import { isGenericArgument } from "./generic.ts";

const FIELDS: FieldTable = { logRotate: "any", comment: "any" };

export const logRotate: Command = {
  name: "logRotate",
  help: "begin a new file of the log: nothing to do, the log goes to standard error",
  adminOnly: true,
  run: ({ args }) => {
    checkFields(args, "logRotate", FIELDS, isGenericArgument);
    const target = args.get("logRotate");
    if (target === "server" || typeof target === "boolean" || isNumber(target)) return;
    if (typeof target === "string") {
      throw new CommandError("NoSuchKey", "Log rotation failed due to one or more errors");
    }
    const type = target === null ? BsonType.Null : typeOf(target);
    throw new CommandError(
      "TypeMismatch",
      `BSON field 'logRotate.logRotate' is the wrong type '${
        aliasOfType(type)
      }', expected types '[bool, string']`,
    );
  },
};
