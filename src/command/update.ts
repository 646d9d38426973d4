/** `update`: changes, replaces or upserts documents of one collection. */
import { type BsonWriter, BuiltDocument, Int32, type Value } from "../bson/mod.ts";
import type { Namespace, UpdateStatement } from "../cluster/mod.ts";
import { checkUpdateForm } from "../query/mod.ts";
import {
  type Arguments,
  checkArrayOfObjects,
  checkFields,
  type FieldTable,
  missingField,
} from "./arguments.ts";
import { collationFor } from "./collation.ts";
import type { Command, CommandCall } from "./command.ts";
import { writeWriteErrors } from "./error_reply.ts";
import { isGenericArgument } from "./generic.ts";
import { namespaceToWrite } from "./namespace.ts";
import { checkHint, checkHintForm, hintOf } from "./query_options.ts";
import { refuseRetry, Retryable } from "./retryable.ts";
import {
  documentsOf,
  parsedOrRefused,
  type ParsedStatement,
  runStatements,
  type StatementResults,
  statementsOf,
} from "./statements.ts";

const FIELDS: FieldTable = {
  update: "any",
  updates: "array",
  ordered: "bool",
  bypassDocumentValidation: "flag",
  let: "object",
  collectionUUID: "binData",
  bypassEmptyTsReplacement: "bool",
};
const STATEMENT_FIELDS: FieldTable = {
  q: "object!",
  u: "any",
  c: "object",
  arrayFilters: "array",
  multi: "bool",
  upsert: "bool",
  upsertSupplied: "bool",
  collation: "object",
  hint: "any",
  sort: "object",
  sampleId: "binData",
};

export const update: Command = {
  name: "update",
  help: "update documents",
  stableApi: true,
  takesWriteConcern: true,
  retryable: true,
  takesSequences: true,
  kind: "write",
  run: runUpdate,
};

async function runUpdate(call: CommandCall, reply: BsonWriter): Promise<void> {
  const namespace = namespaceToWrite(call);
  checkFields(call.args, "update", FIELDS, isGenericArgument);
  const statements = parseUpdates(call, namespace);
  const retryable = await Retryable.of(call, statements.length);
  const done = await runStatements(call, namespace, statements, retryable);
  call.state.counters.opcounters.update += done.results.length + done.errors.length;
  writeUpdates(reply, done);
  retryable?.writeRetried(reply, done.retried);
}

/** The statements of an update. @throws CommandError when their form is wrong */
export function parseUpdates(call: CommandCall, namespace: Namespace): readonly ParsedStatement[] {
  return statementsOf(call, "updates").map((args) => {
    checkFields(args, "update.updates", STATEMENT_FIELDS);
    checkArrayOfObjects(args, "arrayFilters", "update.updates");
    if (args.offset("u") === undefined) throw missingField("update.updates.u");
    checkUpdateForm(args.get("u"));
    checkHintForm(args.get("hint"));
    return parsedOrRefused(() => {
      if (args.get("multi") === true) refuseRetry(call, "multi=true");
      return parseUpdateStatement(call, namespace, args);
    });
  });
}

function parseUpdateStatement(call: CommandCall, namespace: Namespace, args: Arguments): UpdateStatement {
  const collation = collationFor(call, namespace, args);
  checkHint(call, namespace, args.get("hint"));
  return {
    kind: "update",
    filter: args.document("q")!,
    hint: hintOf(args.get("hint")),
    update: args.get("u"),
    multi: args.get("multi") === true,
    upsert: args.get("upsert") === true,
    arrayFilters: documentsOf(args.array("arrayFilters")),
    constants: args.document("c"),
    sort: args.document("sort"),
    collation,
  };
}

function writeUpdates(reply: BsonWriter, { results, errors }: StatementResults): void {
  const upserted: Value[] = [];
  let matched = 0;
  let modified = 0;
  for (const { index, result } of results) {
    matched += result.matched;
    modified += result.modified;
    if (result.upsertedId !== undefined) {
      upserted.push(new BuiltDocument(["index", "_id"], [Int32.of(index), result.upsertedId]));
    }
  }
  reply.value("n", Int32.of(matched + upserted.length));
  if (upserted.length > 0) reply.value("upserted", upserted);
  writeWriteErrors(reply, errors);
  reply.value("nModified", Int32.of(modified));
}
