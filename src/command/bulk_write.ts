/**
 * `bulkWrite`: inserts, updates and deletes in any number of collections, in one command (MongoDB 8.0). It is answered by a
 * cursor of one result an operation, and by totals.
 */
import { CommandError, MAX_WRITE_BATCH } from "../base/mod.ts";
import {
  type BsonWriter,
  BuiltDocument,
  type Document,
  Int32,
  RawDocument,
  type Value,
} from "../bson/mod.ts";
import { type Namespace, namespaceText, type StatementResult } from "../cluster/mod.ts";
import { checkUpdateForm } from "../query/mod.ts";
import { Arguments, checkArrayOfObjects, checkFields, type FieldTable, missingField } from "./arguments.ts";
import { collationFor } from "./collation.ts";
import type { Command, CommandCall } from "./command.ts";
import { replyFirstBatch, rowsOf } from "./cursor_reply.ts";
import { extraFields } from "./error_reply.ts";
import { isGenericArgument } from "./generic.ts";
import { insertDocuments } from "./insert.ts";
import { checkDatabaseName, checkNamespaceToWrite } from "./namespace.ts";
import { checkHint, checkHintForm, hintOf } from "./query_options.ts";
import { refuseRetry, Retryable } from "./retryable.ts";
import {
  documentsOf,
  isOrdered,
  parsedOrRefused,
  type ParsedStatement,
  runStatements,
} from "./statements.ts";

const FIELDS: FieldTable = {
  bulkWrite: "any",
  ops: "array",
  nsInfo: "array",
  ordered: "bool",
  bypassDocumentValidation: "flag",
  let: "object",
  errorsOnly: "bool",
  cursor: "object",
  bypassEmptyTsReplacement: "bool",
};
const CURSOR_FIELDS: FieldTable = { batchSize: "number" };
const NAMESPACE_FIELDS: FieldTable = {
  ns: "string!",
  collectionUUID: "binData",
  encryptionInformation: "object",
  isTimeseriesNamespace: "bool",
};
const INSERT_FIELDS: FieldTable = { insert: "number!", document: "object!" };
const UPDATE_FIELDS: FieldTable = {
  update: "number!",
  filter: "object!",
  updateMods: "any",
  multi: "bool",
  upsert: "bool",
  upsertSupplied: "bool",
  arrayFilters: "array",
  constants: "object",
  collation: "object",
  hint: "any",
  sort: "object",
  sampleId: "binData",
};
const DELETE_FIELDS: FieldTable = {
  delete: "number!",
  filter: "object!",
  multi: "bool",
  collation: "object",
  hint: "any",
  sampleId: "binData",
};
/** As MongoDB names the cursor of results. */
const CURSOR_NAMESPACE = "admin.$cmd.bulkWrite";

export const bulkWrite: Command = {
  name: "bulkWrite",
  help: "insert, update and delete documents of many collections",
  adminOnly: true,
  stableApi: true,
  takesWriteConcern: true,
  retryable: true,
  takesSequences: true,
  kind: "write",
  run: async (call, reply) => {
    checkFields(call.args, "bulkWrite", FIELDS, isGenericArgument);
    const operations = parseOperations(call);
    const retryable = await Retryable.of(call, operations.length);
    const { outcomes, retried } = await runOperations(call, operations, retryable);
    await writeOutcomes(call, reply, outcomes);
    retryable?.writeRetried(reply, retried);
  },
};

type Kind = "insert" | "update" | "delete";

interface Operation {
  readonly kind: Kind;
  readonly namespace: Namespace;
  /** The document of an insert, else the statement. */
  readonly content: RawDocument | ParsedStatement;
}

/** What came of one operation. */
interface Outcome {
  readonly kind: Kind;
  readonly index: number;
  readonly result: StatementResult;
}

/** @throws CommandError when the form of an operation is wrong */
function parseOperations(call: CommandCall): readonly Operation[] {
  const namespaces = documentsFor(call, "nsInfo").map(parseNamespace);
  const operations = documentsFor(call, "ops");
  if (operations.length === 0 || operations.length > MAX_WRITE_BATCH) {
    throw new CommandError(
      "InvalidLength",
      `Write batch sizes must be between 1 and ${MAX_WRITE_BATCH}. Got ${operations.length} operations.`,
    );
  }
  return operations.map((document) => parseOperation(call, namespaces, document));
}

/** The documents of a field, whether they stand in the body or beside it. */
function documentsFor(call: CommandCall, field: "ops" | "nsInfo"): readonly RawDocument[] {
  const sequence = call.sequences.find(({ name }) => name === field);
  if (sequence !== undefined) return sequence.documents;
  if (!call.args.has(field)) throw missingField(`bulkWrite.${field}`);
  checkArrayOfObjects(call.args, field, "bulkWrite");
  return documentsOf(call.args.array(field)) ?? [];
}

function parseNamespace(document: RawDocument): Namespace {
  const args = new Arguments(document);
  checkFields(args, "bulkWrite.nsInfo", NAMESPACE_FIELDS);
  const text = args.string("ns") ?? "";
  const dot = text.indexOf(".");
  const namespace = { db: dot < 0 ? text : text.slice(0, dot), collection: text.slice(dot + 1) };
  if (dot < 0 || namespace.collection === "") {
    throw new CommandError("InvalidNamespace", `Invalid namespace specified for bulkWrite: '${text}'`);
  }
  checkDatabaseName(namespace.db);
  checkNamespaceToWrite(namespace);
  return namespace;
}

function parseOperation(
  call: CommandCall,
  namespaces: readonly Namespace[],
  document: RawDocument,
): Operation {
  const args = new Arguments(document);
  const kind = document.names()[0];
  switch (kind) {
    case "insert":
      checkFields(args, "bulkWrite.insert", INSERT_FIELDS);
      return {
        kind,
        namespace: namespaceAt(namespaces, args, kind),
        content: args.document("document") as RawDocument,
      };
    case "update": {
      checkFields(args, "bulkWrite.update", UPDATE_FIELDS);
      if (args.offset("updateMods") === undefined) throw missingField("bulkWrite.update.updateMods");
      checkArrayOfObjects(args, "arrayFilters", "bulkWrite.update");
      checkUpdateForm(args.get("updateMods"));
      const namespace = namespaceAt(namespaces, args, kind);
      return { kind, namespace, content: parseStatement(call, namespace, args, kind) };
    }
    case "delete": {
      checkFields(args, "bulkWrite.delete", DELETE_FIELDS);
      const namespace = namespaceAt(namespaces, args, kind);
      return { kind, namespace, content: parseStatement(call, namespace, args, kind) };
    }
    default:
      throw new CommandError(40415, `BSON field 'bulkWrite.ops.${kind ?? ""}' is an unknown field.`);
  }
}

function namespaceAt(namespaces: readonly Namespace[], args: Arguments, kind: Kind): Namespace {
  const namespace = namespaces[args.integerFrom(kind, 0) ?? 0];
  if (namespace !== undefined) return namespace;
  throw new CommandError(
    "BadValue",
    `BulkWrite ops entry with ${kind}: ${args.integer(kind)} has an invalid nsInfo index.`,
  );
}

function parseStatement(
  call: CommandCall,
  namespace: Namespace,
  args: Arguments,
  kind: "update" | "delete",
): ParsedStatement {
  const multi = args.get("multi") === true;
  if (multi) refuseRetry(call, "multi=true");
  checkHintForm(args.get("hint"));
  return parsedOrRefused(() => {
    const collation = collationFor(call, namespace, args);
    checkHint(call, namespace, args.get("hint"));
    const filter = args.document("filter") ?? BuiltDocument.EMPTY;
    const hint = hintOf(args.get("hint"));
    if (kind === "delete") return { kind, filter, hint, multi, collation };
    return {
      kind,
      filter,
      hint,
      multi,
      update: args.get("updateMods"),
      upsert: args.get("upsert") === true,
      arrayFilters: documentsOf(args.array("arrayFilters")),
      constants: args.document("constants"),
      sort: args.document("sort"),
      collation,
    };
  });
}

interface Outcomes {
  readonly outcomes: readonly Outcome[];
  /** The places of operations that were done when the command came before. */
  readonly retried: readonly number[];
}

/** Runs the operations in order; neighbours of one collection that are all inserts, or none, go together. */
async function runOperations(
  call: CommandCall,
  operations: readonly Operation[],
  retryable: Retryable | undefined,
): Promise<Outcomes> {
  const ordered = isOrdered(call);
  const outcomes: Outcome[] = [];
  const retried: number[] = [];
  for (let from = 0; from < operations.length;) {
    let to = from + 1;
    while (to < operations.length && goTogether(operations[from]!, operations[to]!)) to++;
    const part = await runTogether(call, operations.slice(from, to), ordered, retryable?.from(from));
    const some = part.outcomes;
    outcomes.push(...some.map((outcome) => ({ ...outcome, index: from + outcome.index })));
    retried.push(...part.retried.map((place) => from + place));
    if (ordered && some.some(({ result }) => result.error !== undefined)) break;
    from = to;
  }
  for (const { kind } of outcomes) call.state.counters.opcounters[kind]++;
  return { outcomes, retried };
}

function goTogether(a: Operation, b: Operation): boolean {
  return namespaceText(a.namespace) === namespaceText(b.namespace) &&
    (a.kind === "insert") === (b.kind === "insert");
}

async function runTogether(
  call: CommandCall,
  operations: readonly Operation[],
  ordered: boolean,
  retryable: Retryable | undefined,
): Promise<Outcomes> {
  const { namespace, kind } = operations[0]!;
  if (kind === "insert") return await runInserts(call, operations, ordered, retryable);
  const statements = operations.map(({ content }) => content as ParsedStatement);
  const { results, errors, retried } = await runStatements(call, namespace, statements, retryable);
  const failed = errors.map(({ index, error }) => ({ index, result: { matched: 0, modified: 0, error } }));
  const outcomes = [...results, ...failed]
    .sort((a, b) => a.index - b.index)
    .map(({ index, result }) => ({ kind: operations[index]!.kind, index, result }));
  return { outcomes, retried };
}

async function runInserts(
  call: CommandCall,
  operations: readonly Operation[],
  ordered: boolean,
  retryable: Retryable | undefined,
): Promise<Outcomes> {
  const documents = operations.map(({ content }) => content as RawDocument);
  const { namespace } = operations[0]!;
  const { errors, retried } = await insertDocuments(call, namespace, documents, ordered, retryable);
  const failures = new Map(errors.map(({ index, error }) => [index, error]));
  const end = ordered && errors.length > 0 ? errors[0]!.index + 1 : operations.length;
  const outcomes = operations.slice(0, end).map((_, index): Outcome => {
    const error = failures.get(index);
    const result = error === undefined ? { matched: 1, modified: 0 } : { matched: 0, modified: 0, error };
    return { kind: "insert", index, result };
  });
  return { outcomes, retried };
}

async function writeOutcomes(
  call: CommandCall,
  reply: BsonWriter,
  outcomes: readonly Outcome[],
): Promise<void> {
  const errorsOnly = call.args.get("errorsOnly") === true;
  const shown = errorsOnly ? outcomes.filter(({ result }) => result.error !== undefined) : outcomes;
  await replyFirstBatch(call, reply, {
    namespace: CURSOR_NAMESPACE,
    rows: rowsOf(shown.map(outcomeDocument)),
    batchSize: batchSizeOf(call) ?? Infinity,
  });
  const totals = { nErrors: 0, nInserted: 0, nMatched: 0, nModified: 0, nUpserted: 0, nDeleted: 0 };
  for (const { kind, result } of outcomes) {
    if (result.error !== undefined) totals.nErrors++;
    else if (kind === "insert") totals.nInserted++;
    else if (kind === "delete") totals.nDeleted += result.matched;
    else {
      totals.nMatched += result.matched;
      totals.nModified += result.modified;
      if (result.upsertedId !== undefined) totals.nUpserted++;
    }
  }
  for (const [name, count] of Object.entries(totals)) reply.value(name, Int32.of(count));
}

function batchSizeOf(call: CommandCall): number | undefined {
  const cursor = call.args.get("cursor");
  if (!(cursor instanceof RawDocument)) return undefined;
  const args = new Arguments(cursor);
  checkFields(args, "bulkWrite.cursor", CURSOR_FIELDS);
  return args.integerFrom("batchSize", 0);
}

function outcomeDocument({ kind, index, result }: Outcome): Document {
  const { error, matched, modified, upsertedId } = result;
  const fields: Record<string, Value> = { ok: error === undefined ? 1 : 0, idx: Int32.of(index) };
  if (error !== undefined) {
    fields["code"] = Int32.of(error.code);
    fields["errmsg"] = error.message;
    Object.assign(fields, extraFields(error));
  }
  fields["n"] = Int32.of(upsertedId === undefined ? matched : 1);
  if (kind === "update") fields["nModified"] = Int32.of(modified);
  if (upsertedId !== undefined) fields["upserted"] = new BuiltDocument(["_id"], [upsertedId]);
  return BuiltDocument.of(fields);
}
