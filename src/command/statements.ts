/** What writes share: documents in the body or beside it; of `update` and `delete` statements, run in order, answered by their places. */
import { CommandError, ErrorCode, MAX_WRITE_BATCH } from "../base/mod.ts";
import { aliasOfType, BsonType, elementType, RawDocument, type Value, valueStart } from "../bson/mod.ts";
import type { Namespace, StatementResult, WriteStatement } from "../cluster/mod.ts";
import { Arguments, missingField } from "./arguments.ts";
import type { CommandCall } from "./command.ts";
import type { PlacedError } from "./error_reply.ts";
import { letValues } from "./let_variables.ts";
import { QueryWork } from "./operation.ts";
import type { Retryable } from "./retryable.ts";

/** A statement, or why it cannot be run. */
export type ParsedStatement = WriteStatement | CommandError;

/** Whether the first error ends a write: unless it says otherwise, and in a transaction in any case. */
export function isOrdered({ args, transaction }: CommandCall): boolean {
  return transaction !== undefined || args.get("ordered") !== false;
}

/** The statements' fields. @param field `updates` or `deletes` */
export function statementsOf(call: CommandCall, field: string): readonly Arguments[] {
  return writeBatchOf(call, field).map((document) => new Arguments(document));
}

/** The documents of a write, views of the message: whether they stand beside the body or in it. */
export function writeBatchOf(call: CommandCall, field: string): readonly RawDocument[] {
  for (const { name } of call.sequences) {
    if (name !== field) {
      throw new CommandError(40415, `BSON field '${call.name}.${name}' is an unknown field.`);
    }
  }
  const documents = call.sequences[0]?.documents ?? documentsIn(call, field);
  if (documents.length === 0 || documents.length > MAX_WRITE_BATCH) {
    throw new CommandError(
      "InvalidLength",
      `Write batch sizes must be between 1 and ${MAX_WRITE_BATCH}. Got ${documents.length} operations.`,
    );
  }
  return documents;
}

function documentsIn(call: CommandCall, field: string): readonly RawDocument[] {
  const at = call.args.offset(field);
  if (at === undefined || !call.args.has(field)) throw missingField(`${call.name}.${field}`);
  const { bytes } = call.args.body;
  const documents: RawDocument[] = [];
  new RawDocument(bytes, valueStart(bytes, at)).forEachElement((element) => {
    const type = elementType(bytes, element);
    if (type !== BsonType.Object) {
      throw new CommandError(
        "TypeMismatch",
        `BSON field '${call.name}.${field}.${documents.length}' is the wrong type '${aliasOfType(type)}', ` +
          "expected type 'object'",
      );
    }
    documents.push(new RawDocument(bytes, valueStart(bytes, element)));
  });
  return documents;
}

export interface PlacedResult {
  readonly index: number;
  readonly result: StatementResult;
}

/** What came of the statements of one command. */
export interface StatementResults {
  /** Of the statements that succeeded. */
  readonly results: readonly PlacedResult[];
  readonly errors: readonly PlacedError[];
  /** The places of those that were done when the command came before. */
  readonly retried: readonly number[];
}

/**
 * Runs statements, those that may be; errors keep their places in the request.
 *
 * @param retryable knows which of them are done already
 * @throws CommandError when the command was killed or ran out of time
 */
export async function runStatements(
  call: CommandCall,
  namespace: Namespace,
  statements: readonly ParsedStatement[],
  retryable: Retryable | undefined,
): Promise<StatementResults> {
  const ordered = isOrdered(call);
  const context = writeWork(call);
  const places: number[] = [];
  const valid: WriteStatement[] = [];
  const refused: PlacedError[] = [];
  const before: PlacedResult[] = [];
  for (const [index, statement] of statements.entries()) {
    const result = retryable?.resultAt(index);
    if (result !== undefined) {
      before.push({ index, result });
    } else if (statement instanceof CommandError) {
      refused.push({ index, error: statement });
      if (ordered) break;
    } else {
      places.push(index);
      valid.push(statement);
    }
  }
  const { router } = call.state.services;
  const options = { ordered, context, retryable: retryable?.at(places) };
  const done = valid.length === 0 ? [] : await router.write(namespace, valid, options);
  const placed = done.map((result, i): PlacedResult => ({ index: places[i]!, result }));
  const failed = placed.flatMap(({ index, result: { error } }) =>
    error === undefined ? [] : [{ index, error }]
  );
  for (const { error } of failed) if (INTERRUPTIONS.has(error.code)) throw error;
  if (failed.length + refused.length > 0) call.session?.failTransaction(call.transaction);
  const errors = ordered && failed.length > 0
    ? failed
    : [...failed, ...refused].sort((a, b) => a.index - b.index);
  const succeeded = placed.filter(({ result }) => result.error === undefined);
  const results = [...before, ...succeeded].sort((a, b) => a.index - b.index);
  return { results, errors, retried: before.map(({ index }) => index) };
}

/** The context of a command that writes. */
export function writeWork(call: CommandCall): QueryWork {
  const bypassValidation = call.args.flag("bypassDocumentValidation");
  return new QueryWork(
    call.operation,
    letValues(call.args, call.operation),
    true,
    bypassValidation,
  );
}

/** Of these the whole command dies, not only a statement. */
const INTERRUPTIONS: ReadonlySet<number> = new Set([
  ErrorCode.ExceededTimeLimit,
  ErrorCode.Interrupted,
  ErrorCode.InterruptedAtShutdown,
  ErrorCode.MaxTimeMSExpired,
]);

/** Runs `parse`; a CommandError that it throws is the statement's own. */
export function parsedOrRefused(parse: () => WriteStatement): ParsedStatement {
  try {
    return parse();
  } catch (error) {
    if (error instanceof CommandError) return error;
    throw error;
  }
}

/** The documents of an array of them; what else is in it was refused before. */
export function documentsOf(values: readonly Value[] | undefined): readonly RawDocument[] | undefined {
  return values?.filter((value) => value instanceof RawDocument);
}
