/** `delete`: takes documents out of one collection. */
import { CommandError } from "../base/mod.ts";
import { type BsonWriter, Int32 } from "../bson/mod.ts";
import type { DeleteStatement, Namespace } from "../cluster/mod.ts";
import { type Arguments, checkFields, type FieldTable, numberOf } from "./arguments.ts";
import { collationFor } from "./collation.ts";
import type { Command, CommandCall } from "./command.ts";
import { writeWriteErrors } from "./error_reply.ts";
import { isGenericArgument } from "./generic.ts";
import { namespaceToWrite } from "./namespace.ts";
import { checkHint, checkHintForm, hintOf } from "./query_options.ts";
import { refuseRetry, Retryable } from "./retryable.ts";
import { parsedOrRefused, type ParsedStatement, runStatements, statementsOf } from "./statements.ts";

const FIELDS: FieldTable = {
  delete: "any",
  deletes: "array",
  ordered: "bool",
  bypassDocumentValidation: "flag",
  let: "object",
  collectionUUID: "binData",
};
const STATEMENT_FIELDS: FieldTable = {
  q: "object!",
  limit: "any!",
  collation: "object",
  hint: "any",
  sampleId: "binData",
};

export const deleteCommand: Command = {
  name: "delete",
  help: "delete documents",
  stableApi: true,
  takesWriteConcern: true,
  retryable: true,
  takesSequences: true,
  kind: "write",
  run: runDelete,
};

async function runDelete(call: CommandCall, reply: BsonWriter): Promise<void> {
  const namespace = namespaceToWrite(call);
  checkFields(call.args, "delete", FIELDS, isGenericArgument);
  const statements = parseDeletes(call, namespace);
  const retryable = await Retryable.of(call, statements.length);
  const { results, errors, retried } = await runStatements(call, namespace, statements, retryable);
  const deleted = results.reduce((sum, { result }) => sum + result.matched, 0);
  call.state.counters.opcounters.delete += results.length + errors.length;
  reply.value("n", Int32.of(deleted));
  writeWriteErrors(reply, errors);
  retryable?.writeRetried(reply, retried);
}

/** The statements of a delete. @throws CommandError when their form is wrong */
export function parseDeletes(call: CommandCall, namespace: Namespace): readonly ParsedStatement[] {
  return statementsOf(call, "deletes").map((args) => {
    checkFields(args, "delete.deletes", STATEMENT_FIELDS);
    checkHintForm(args.get("hint"));
    const multi = isMulti(args);
    return parsedOrRefused(() => {
      if (multi) refuseRetry(call, "limit=0");
      return parseDeleteStatement(call, namespace, args, multi);
    });
  });
}

/** A limit that is no number counts as none, as in MongoDB. */
function isMulti(args: Arguments): boolean {
  const given = numberOf(args.get("limit"));
  const limit = Number.isNaN(given) ? 0 : given;
  if (limit === 0 || limit === 1) return limit === 0;
  throw new CommandError("FailedToParse", `The limit field in delete objects must be 0 or 1. Got ${limit}`);
}

function parseDeleteStatement(
  call: CommandCall,
  namespace: Namespace,
  args: Arguments,
  multi: boolean,
): DeleteStatement {
  const collation = collationFor(call, namespace, args);
  checkHint(call, namespace, args.get("hint"));
  return { kind: "delete", filter: args.document("q")!, multi, hint: hintOf(args.get("hint")), collation };
}
