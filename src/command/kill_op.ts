/** `killOp`: ends an operation by the number that `currentOp` shows; it stops at its next checkpoint. */
import { CommandError } from "../base/mod.ts";
import { aliasOfType, type BsonWriter, isNumber, typeOf } from "../bson/mod.ts";
import { elementText } from "../query/mod.ts";
import { numberOf } from "./arguments.ts";
import type { Command, CommandCall } from "./command.ts";

export const killOp: Command = {
  name: "killOp",
  help: "end an operation: {killOp: 1, op: opid}",
  adminOnly: true,
  run: runKillOp,
};

function runKillOp({ args, state }: CommandCall, reply: BsonWriter): void {
  const op = args.get("op");
  if (op === undefined) throw new CommandError("NoSuchKey", 'Missing expected field "op"');
  if (!isNumber(op)) {
    const found = aliasOfType(typeOf(op));
    throw new CommandError("TypeMismatch", `Expected field "op" to have numeric type, but found ${found}`);
  }
  const id = numberOf(op);
  if (!Number.isInteger(id)) {
    throw new CommandError(
      "BadValue",
      `Expected field "op" to have a value exactly representable as a 64-bit integer, but found ${
        elementText("op", op)
      }`,
    );
  }
  const operations = state.operations.all().filter((operation) => operation.id === id);
  for (const operation of operations) {
    operation.kill(new CommandError("Interrupted", "operation was interrupted"));
  }
  // MongoDB says the same of one that is not there.
  reply.value("info", "attempting to kill op");
}
