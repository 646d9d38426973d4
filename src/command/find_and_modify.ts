/** `findAndModify`: updates or deletes one document and gives it back, as it was or as it is. */
import { CommandError } from "../base/mod.ts";
import { type BsonWriter, BuiltDocument, type Document, Int32 } from "../bson/mod.ts";
import type { Namespace, StatementResult, WriteStatement } from "../cluster/mod.ts";
import { checkUpdateForm } from "../query/mod.ts";
import { checkArrayOfObjects, checkFields, type FieldTable } from "./arguments.ts";
import { collationFor } from "./collation.ts";
import type { Command, CommandCall } from "./command.ts";
import { isGenericArgument } from "./generic.ts";
import { namespaceToWrite } from "./namespace.ts";
import { checkHint, hintOf } from "./query_options.ts";
import { Retryable } from "./retryable.ts";
import { documentsOf, writeWork } from "./statements.ts";

const FIELDS: FieldTable = {
  findAndModify: "any",
  findandmodify: "any",
  query: "object",
  fields: "object",
  sort: "object",
  hint: "any",
  collation: "object",
  arrayFilters: "array",
  remove: "flag",
  update: "any",
  upsert: "flag",
  new: "flag",
  let: "object",
  bypassDocumentValidation: "flag",
  collectionUUID: "binData",
  sampleId: "binData",
  bypassEmptyTsReplacement: "bool",
};

export const findAndModify: Command = {
  name: "findAndModify",
  aliases: ["findandmodify"],
  help: "update or delete one document, and give it back",
  stableApi: true,
  takesWriteConcern: true,
  retryable: true,
  kind: "write",
  run: runFindAndModify,
};

async function runFindAndModify(call: CommandCall, reply: BsonWriter): Promise<void> {
  const namespace = namespaceToWrite(call);
  const statement = parseFindAndModify(call, namespace);
  const retryable = await Retryable.of(call, 1);
  const before = retryable?.resultAt(0);
  if (before !== undefined) {
    writeResult(reply, statement, before);
    return retryable!.writeRetriedOne(reply);
  }
  const { router } = call.state.services;
  const options = { ordered: true, context: writeWork(call), retryable: retryable?.at([0]) };
  const [result] = await router.write(namespace, [statement], options);
  const { opcounters } = call.state.counters;
  if (statement.kind === "delete") opcounters.delete++;
  else opcounters.update++;
  if (result!.error !== undefined) throw result!.error;
  writeResult(reply, statement, result!);
}

/** The statement of a findAndModify. @throws CommandError */
export function parseFindAndModify(call: CommandCall, namespace: Namespace): WriteStatement {
  const { args } = call;
  checkFields(args, "findAndModify", FIELDS, isGenericArgument);
  checkArrayOfObjects(args, "arrayFilters", "findAndModify");
  checkCombination(call);
  if (args.has("update")) checkUpdateForm(args.get("update"));
  const collation = collationFor(call, namespace);
  checkHint(call, namespace);
  const which = args.flag("new") ? "after" : "before";
  const shared = {
    filter: args.document("query") ?? BuiltDocument.EMPTY,
    sort: args.document("sort"),
    collation,
    hint: hintOf(args.get("hint")),
    returning: { which, projection: args.document("fields") },
  } as const;
  if (args.flag("remove")) return { ...shared, kind: "delete" };
  if (which === "after" && isPositional(args.document("fields"))) {
    throw new CommandError(
      "BadValue",
      "cannot use a positional projection and return the new document",
    );
  }
  return {
    ...shared,
    kind: "update",
    update: args.get("update"),
    upsert: args.flag("upsert"),
    arrayFilters: documentsOf(args.array("arrayFilters")),
  };
}

function isPositional(projection: Document | undefined): boolean {
  return projection?.names().some((name) => name.endsWith(".$")) === true;
}

function checkCombination({ args }: CommandCall): void {
  const removes = args.flag("remove");
  if (!removes && !args.has("update")) throw refused("Either an update or remove=true must be specified");
  if (!removes) return;
  if (args.has("update")) throw refused("Cannot specify both an update and remove=true");
  if (args.flag("upsert")) throw refused("Cannot specify both upsert=true and remove=true ");
  if (args.flag("new")) {
    throw refused(
      "Cannot specify both new=true and remove=true; 'remove' always returns the deleted document",
    );
  }
  if (args.has("arrayFilters")) throw refused("Cannot specify arrayFilters and remove=true");
}

function refused(message: string): CommandError {
  return new CommandError("FailedToParse", message);
}

function writeResult(reply: BsonWriter, statement: WriteStatement, result: StatementResult): void {
  const { matched, upsertedId, document } = result;
  const count = upsertedId === undefined ? matched : 1;
  reply.value(
    "lastErrorObject",
    BuiltDocument.of({
      n: Int32.of(count),
      updatedExisting: statement.kind === "update" ? matched > 0 : undefined,
      upserted: upsertedId,
    }),
  );
  reply.value("value", document ?? null);
}
