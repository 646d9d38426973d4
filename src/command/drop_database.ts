/** `dropDatabase`: a database with all its collections; dropping what is not there succeeds. */
import { CommandError } from "../base/mod.ts";
import { checkFields, type FieldTable } from "./arguments.ts";
import type { Command, CommandCall } from "./command.ts";
import { isGenericArgument } from "./generic.ts";

const FIELDS: FieldTable = { dropDatabase: "number" };

export const dropDatabase: Command = {
  name: "dropDatabase",
  help: "drop (delete) this database",
  stableApi: true,
  takesWriteConcern: true,
  run: runDropDatabase,
};

async function runDropDatabase(call: CommandCall): Promise<void> {
  checkFields(call.args, "dropDatabase", FIELDS, isGenericArgument);
  if (call.args.integer("dropDatabase") !== 1) {
    throw new CommandError(5255100, "Have to pass 1 as 'drop' parameter");
  }
  if (call.db === "admin") {
    throw new CommandError("IllegalOperation", "Dropping the 'admin' database is prohibited.");
  }
  await call.state.services.router.dropDatabase(call.db);
}
