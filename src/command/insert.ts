/** `insert`: documents in the body or beside it, stored in order or independently of each other. */
import { CommandError, MAX_DOCUMENT_BYTES, MAX_STORED_DEPTH } from "../base/mod.ts";
import { type BsonWriter, Int32, isDeeperThan, RawDocument } from "../bson/mod.ts";
import { type InsertResult, type Namespace, namespaceText } from "../cluster/mod.ts";
import { checkFields, type FieldTable } from "./arguments.ts";
import type { Command, CommandCall } from "./command.ts";
import { writeWriteErrors } from "./error_reply.ts";
import { isGenericArgument } from "./generic.ts";
import { namespaceToWrite } from "./namespace.ts";
import { answerOnce } from "./retryable.ts";
import { writeBatchOf } from "./statements.ts";

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
  takesSequences: true,
  kind: "write",
  run: runInsert,
};

async function runInsert(call: CommandCall, reply: BsonWriter): Promise<void> {
  const namespace = namespaceToWrite(call);
  checkFields(call.args, "insert", FIELDS, isGenericArgument);
  const documents = writeBatchOf(call, "documents");
  const ordered = call.args.get("ordered") !== false;
  await answerOnce(call, reply, documents.length, async () => {
    const { inserted, errors } = await insertDocuments(call, namespace, documents, ordered);
    call.state.counters.opcounters.insert += inserted;
    return (reply) => {
      reply.value("n", Int32.of(inserted));
      writeWriteErrors(reply, errors);
    };
  });
}

/** Stores the documents that may be stored; errors keep their places in the request. */
export async function insertDocuments(
  call: CommandCall,
  namespace: Namespace,
  documents: readonly RawDocument[],
  ordered: boolean,
): Promise<InsertResult> {
  const { router } = call.state.services;
  if (router.collection(namespace)?.view !== undefined) return onView(namespace, documents, ordered);
  const refused: { index: number; error: CommandError }[] = [];
  const places: number[] = [];
  for (let index = 0; index < documents.length; index++) {
    const error = refusal(documents[index]!);
    if (error === undefined) {
      places.push(index);
    } else {
      refused.push({ index, error });
      if (ordered) break;
    }
  }
  const bypass = call.args.flag("bypassDocumentValidation");
  if (refused.length === 0) return await router.insert(namespace, documents, ordered, bypass);
  if (places.length === 0) return { inserted: 0, errors: refused };
  const result = await router.insert(namespace, places.map((place) => documents[place]!), ordered, bypass);
  const stored = result.errors.map(({ index, error }) => ({ index: places[index]!, error }));
  if (ordered && stored.length > 0) return { inserted: result.inserted, errors: stored };
  const errors = [...stored, ...refused].sort((a, b) => a.index - b.index);
  return { inserted: result.inserted, errors };
}

/** A view takes no document. */
function onView(
  namespace: Namespace,
  documents: readonly RawDocument[],
  ordered: boolean,
): InsertResult {
  const message = `Namespace ${namespaceText(namespace)} is a view, not a collection`;
  const error = new CommandError("CommandNotSupportedOnView", message);
  const refused = ordered ? documents.slice(0, 1) : documents;
  return { inserted: 0, errors: refused.map((_, index) => ({ index, error })) };
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
