/** `getMore`: the next batch of a cursor. */
import { CommandError } from "../base/mod.ts";
import type { BsonWriter } from "../bson/mod.ts";
import { namespaceText } from "../cluster/mod.ts";
import { checkFields, type FieldTable, numberOf } from "./arguments.ts";
import type { Command, CommandCall } from "./command.ts";
import { replyNextBatch } from "./cursor_reply.ts";
import { cursorNotFound } from "./cursors.ts";
import { isGenericArgument } from "./generic.ts";
import { DEFAULT_AWAIT_MS } from "./tail.ts";

const FIELDS: FieldTable = { getMore: "long!", collection: "string!", batchSize: "number", term: "any" };

export const getMore: Command = {
  name: "getMore",
  help: "retrieve more results from an existing cursor",
  stableApi: true,
  kind: "read",
  // MongoDB takes any, and reads on as the cursor does: the Node driver sends the snapshot's with each batch.
  readConcerns: ["available", "majority", "linearizable", "snapshot"],
  run: runGetMore,
};

/** @throws CommandError where a test wants the command to fail that has its cursor */
function failAfterCheckout({ state }: CommandCall): void {
  const code = state.failPoints?.failGetMoreAfterCursorCheckout.enterIf((data) =>
    data.get("errorCode") !== undefined
  )?.get("errorCode");
  if (code === undefined) return;
  throw new CommandError(numberOf(code), "Hit the 'failGetMoreAfterCursorCheckout' failpoint");
}

async function runGetMore(call: CommandCall, reply: BsonWriter): Promise<void> {
  const { args, state, generic, client } = call;
  checkFields(args, "getMore", FIELDS, isGenericArgument);
  const id = args.get("getMore");
  const collection = args.string("collection")!;
  if (typeof id !== "bigint") throw cursorNotFound(0n);
  if (collection === "") throw new CommandError("InvalidNamespace", "Collection names cannot be empty");
  const batchSize = args.integerFrom("batchSize", 0);
  const namespace = namespaceText({ db: call.db, collection });
  const txnNumber = generic.inTransaction ? generic.txnNumber : undefined;
  const cursor = state.cursors.take(id, namespace, generic.sessionId, txnNumber);
  const { tail } = cursor;
  if (generic.maxTimeMs !== 0 && tail?.awaitsData !== true) {
    await state.cursors.giveBack(cursor);
    throw new CommandError("BadValue", "cannot set maxTimeMS on getMore command for a non-awaitData cursor");
  }
  const operation = state.operations.begin(client, cursor.timeLimitMs, call.operation.label);
  cursor.operation = operation;
  tail?.begin(operation, args.has("maxTimeMS") ? generic.maxTimeMs : DEFAULT_AWAIT_MS);
  try {
    failAfterCheckout(call);
    await replyNextBatch(reply, cursor, batchSize === undefined || batchSize === 0 ? Infinity : batchSize);
    cursor.spend(operation.elapsedMs());
  } catch (error) {
    cursor.killed = true;
    throw tail === undefined ? error : tail.failure(error);
  } finally {
    cursor.operation = undefined;
    state.operations.end(operation);
    await state.cursors.giveBack(cursor);
  }
}
