/** `insert`: documents in the body or beside it, stored in order or independently of each other. */
import { CommandError, MAX_DOCUMENT_BYTES, MAX_STORED_DEPTH } from "../base/mod.ts";
import { type BsonWriter, Int32, isDeeperThan, RawDocument, validateDocuments } from "../bson/mod.ts";
import { type InsertResult, type Namespace, namespaceText } from "../cluster/mod.ts";
import { checkFields, type FieldTable } from "./arguments.ts";
import type { Command, CommandCall } from "./command.ts";
import { writeWriteErrors } from "./error_reply.ts";
import { isGenericArgument } from "./generic.ts";
import { namespaceToWrite } from "./namespace.ts";
import { Retryable } from "./retryable.ts";
import { isOrdered, writeBatchOf } from "./statements.ts";

const FIELDS: FieldTable = {
  insert: "any",
  documents: "array",
  ordered: "bool",
  bypassDocumentValidation: "flag",
  collectionUUID: "binData",
  bypassEmptyTsReplacement: "bool",
};

export const insert: Command = {
  name: "insert",
  help: "insert documents into a collection",
  stableApi: true,
  takesWriteConcern: true,
  retryable: true,
  takesSequences: true,
  kind: "write",
  run: runInsert,
};

async function runInsert(call: CommandCall, reply: BsonWriter): Promise<void> {
  const namespace = namespaceToWrite(call);
  checkFields(call.args, "insert", FIELDS, isGenericArgument);
  const documents = writeBatchOf(call, "documents");
  const ordered = isOrdered(call);
  const areChecked = checkUnlessMeasurements(call, namespace, documents);
  const retryable = await Retryable.of(call, documents.length);
  const { inserted, errors, retried } = await insertDocuments(
    call,
    namespace,
    documents,
    ordered,
    retryable,
    areChecked,
  );
  call.state.counters.opcounters.insert += inserted;
  reply.value("n", Int32.of(inserted));
  writeWriteErrors(reply, errors);
  if (errors.length > 0) call.session?.failTransaction(call.transaction);
  const isTimeseries = call.state.services.router.collection(namespace)?.timeseries !== undefined;
  if (!isTimeseries) retryable?.writeRetried(reply, retried);
}

/**
 * Checks documents of which only the lengths were, but for measurements: storage checks those in its walk over them.
 *
 * @returns whether they are checked
 */
function checkUnlessMeasurements(
  { sequences, transaction, state }: CommandCall,
  namespace: Namespace,
  documents: readonly RawDocument[],
): boolean {
  if (sequences[0]?.areChecked !== false) return true;
  const collection = state.services.router.collection(namespace);
  if (collection?.timeseries !== undefined && transaction === undefined) return false;
  validateDocuments(documents);
  return true;
}

export interface InsertedDocuments extends InsertResult {
  /** The places of those that were stored when the command came before. */
  readonly retried: readonly number[];
}

/**
 * Stores the documents that may be stored; errors keep their places in the request.
 *
 * @param retryable knows which of them are stored already
 * @param areChecked whether more than the documents' lengths was
 */
export async function insertDocuments(
  call: CommandCall,
  namespace: Namespace,
  documents: readonly RawDocument[],
  ordered: boolean,
  retryable: Retryable | undefined,
  areChecked = true,
): Promise<InsertedDocuments> {
  const { router } = call.state.services;
  if (router.collection(namespace)?.view !== undefined) return onView(namespace, documents, ordered);
  const bypassValidation = call.args.flag("bypassDocumentValidation");
  if (!areChecked && retryable === undefined) {
    // They are short: none is too large, or too deep.
    const result = await router.insert(namespace, documents, ordered, { areChecked, bypassValidation });
    return { ...result, retried: [] };
  }
  const { places, refused, retried } = sortOut(documents, ordered, retryable);
  if (places.length === 0) return { inserted: retried.length, errors: refused, retried };
  const allowed = places.length === documents.length ? documents : places.map((place) => documents[place]!);
  const { transaction } = call;
  const options = { areChecked, bypassValidation, retryable: retryable?.at(places), transaction };
  const result = await router.insert(namespace, allowed, ordered, options);
  const inserted = retried.length + result.inserted;
  const stored = result.errors.map(({ index, error }) => ({ index: places[index]!, error }));
  if (ordered && stored.length > 0) return { inserted, errors: stored, retried };
  const errors = [...stored, ...refused].sort((a, b) => a.index - b.index);
  return { inserted, errors, retried };
}

/** Which documents are to be stored now, may not be, and are stored already, by their places. */
interface SortedOut {
  readonly places: readonly number[];
  readonly refused: readonly { readonly index: number; readonly error: CommandError }[];
  readonly retried: readonly number[];
}

function sortOut(
  documents: readonly RawDocument[],
  ordered: boolean,
  retryable: Retryable | undefined,
): SortedOut {
  const places: number[] = [];
  const refused: { index: number; error: CommandError }[] = [];
  const retried: number[] = [];
  for (let index = 0; index < documents.length; index++) {
    if (retryable?.resultAt(index) !== undefined) {
      retried.push(index);
      continue;
    }
    const error = refusal(documents[index]!);
    if (error === undefined) {
      places.push(index);
      continue;
    }
    refused.push({ index, error });
    if (ordered) break;
  }
  return { places, refused, retried };
}

/** A view takes no document. */
function onView(
  namespace: Namespace,
  documents: readonly RawDocument[],
  ordered: boolean,
): InsertedDocuments {
  const message = `Namespace ${namespaceText(namespace)} is a view, not a collection`;
  const error = new CommandError("CommandNotSupportedOnView", message);
  const refused = ordered ? documents.slice(0, 1) : documents;
  return { inserted: 0, errors: refused.map((_, index) => ({ index, error })), retried: [] };
}

/** Why a document cannot be stored, whatever the collection. */
function refusal(document: RawDocument): CommandError | undefined {
  const size = document.sizeBytes;
  if (size > MAX_DOCUMENT_BYTES) {
    return new CommandError(
      "BadValue",
      `object to insert too large. size in bytes: ${size}, max size: ${MAX_DOCUMENT_BYTES}`,
    );
  }
  if (!isDeeperThan(document, MAX_STORED_DEPTH)) return undefined;
  return new CommandError(
    "Overflow",
    `cannot insert document because it exceeds ${MAX_STORED_DEPTH} levels of nesting`,
  );
}
