/** Writes inside a client's transaction: to what it holds in memory, not to the log. */
import { assert, CommandError } from "../base/mod.ts";
import type { RawDocument } from "../bson/mod.ts";
import type { DocumentTransaction } from "../storage/mod.ts";
import { type CollectionInfo, namespaceText } from "./catalog.ts";
import { insertDocument } from "./document_insert.ts";
import { runStatement } from "./document_statement.ts";
import type { WrittenCollection } from "./document_writer.ts";
import type { InsertResult } from "./router.ts";
import type { StatementResult, WriteOptions, WriteStatement } from "./write_statement.ts";

/** Documents inserted between two looks at the time. */
const INSERTS_AT_ONCE = 256;

/** @param checkpoint lets others work */
export async function insertInTransaction(
  store: DocumentTransaction,
  collection: WrittenCollection,
  documents: readonly RawDocument[],
  ordered: boolean,
  checkpoint: () => Promise<void>,
): Promise<InsertResult> {
  const errors: { index: number; error: CommandError }[] = [];
  let inserted = 0;
  for (const [index, document] of documents.entries()) {
    if (index % INSERTS_AT_ONCE === INSERTS_AT_ONCE - 1) await checkpoint();
    const error = insertDocument(store, collection, document);
    if (error === undefined) {
      inserted++;
    } else {
      assert(!(error instanceof Promise), "a transaction does not wait for another");
      errors.push({ index, error });
      if (ordered) break;
    }
  }
  return { inserted, errors };
}

export async function writeInTransaction(
  store: DocumentTransaction,
  collection: WrittenCollection,
  statements: readonly WriteStatement[],
  { ordered, context }: WriteOptions,
): Promise<readonly StatementResult[]> {
  const results: StatementResult[] = [];
  for (const statement of statements) {
    const run = runStatement({ ...collection, store }, statement, context);
    let step = run.next();
    while (step.done !== true) {
      await context.checkpoint();
      step = run.next();
    }
    results.push(step.value);
    if (ordered && step.value.error !== undefined) break;
  }
  return results;
}

/** @throws CommandError OperationNotSupportedInTransaction where MongoDB has no writes in transactions */
export function checkWritable(info: CollectionInfo, isInsert: boolean): void {
  const namespace = namespaceText(info);
  if (info.timeseries !== undefined) {
    throw notSupported(
      isInsert
        ? `time-series insert failed: ${namespace} :: caused by :: Cannot insert into a time-series collection in a ` +
          `multi-document transaction: ${namespace}`
        : `Cannot perform a multi-document transaction on a time-series collection: ${namespace}`,
    );
  }
  if (info.options.get("capped") === true) {
    throw notSupported(
      `Collection '${namespace}' is a capped collection. Writes in transactions are not allowed on capped collections.`,
    );
  }
}

export function notSupported(message: string): CommandError {
  return new CommandError("OperationNotSupportedInTransaction", message);
}
