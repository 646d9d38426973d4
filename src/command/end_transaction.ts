/** `commitTransaction` and `abortTransaction`. A commit that comes again is answered again. */
import { CommandError } from "../base/mod.ts";
import type { Command, CommandCall } from "./command.ts";
import { checkFields, type FieldTable } from "./arguments.ts";
import { isGenericArgument } from "./generic.ts";
import { abort } from "./session_transaction.ts";

const FIELDS: FieldTable = { recoveryToken: "object" };

export const commitTransaction: Command = {
  name: "commitTransaction",
  help: "commit a transaction: all of what it wrote is there, or nothing",
  adminOnly: true,
  stableApi: true,
  takesWriteConcern: true,
  run: async (call) => {
    check(call, "commitTransaction");
    // Committed before.
    if (call.transaction === undefined) return;
    await call.state.services.router.commitTransaction(call.transaction);
    call.session!.transaction!.isCommitted = true;
  },
};

export const abortTransaction: Command = {
  name: "abortTransaction",
  help: "end a transaction: nothing of what it wrote is kept",
  adminOnly: true,
  stableApi: true,
  takesWriteConcern: true,
  run: (call) => {
    check(call, "abortTransaction");
    abort(call.session!.transaction!);
  },
};

function check({ args, generic }: CommandCall, name: string): void {
  if (!generic.inTransaction) {
    throw new CommandError("CommandFailed", `${name} must be run within a transaction`);
  }
  checkFields(args, name, { ...FIELDS, [name]: "any" }, isGenericArgument);
}
