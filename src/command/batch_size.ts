/** The `cursor` argument of commands that answer with one. */
import { CommandError } from "../base/mod.ts";
import { RawDocument } from "../bson/mod.ts";
import { Arguments, checkFields, type FieldTable } from "./arguments.ts";

const FIELDS: FieldTable = { batchSize: "number" };

/** `cursor.batchSize`; undefined when it is not given. @throws CommandError when it is bad */
export function batchSizeOf(args: Arguments, owner: string): number | undefined {
  const cursor = args.get("cursor");
  if (cursor === undefined) return undefined;
  if (!(cursor instanceof RawDocument)) {
    throw new CommandError("TypeMismatch", "cursor field must be missing or an object");
  }
  const fields = new Arguments(cursor);
  checkFields(fields, owner === "aggregate" ? "cursor" : `${owner}.cursor`, FIELDS);
  return fields.integerFrom("batchSize", 0);
}
