/** `insert`: documents in the body or beside it, stored in order or independently of each other. */
import { CommandError, MAX_DOCUMENT_BYTES, MAX_STORED_DEPTH, MAX_WRITE_BATCH } from "../base/mod.ts";
import {
  aliasOfType,
  BsonType,
  type BsonWriter,
  elementType,
  Int32,
  isDeeperThan,
  RawDocument,
  valueStart,
} from "../bson/mod.ts";
import { type InsertResult, type Namespace, namespaceText } from "../cluster/mod.ts";
import { checkFields, type FieldTable, missingField } from "./arguments.ts";
import type { Command, CommandCall } from "./command.ts";
import { writeWriteErrors } from "./error_reply.ts";
import { isGenericArgument } from "./generic.ts";
import { namespaceToWrite } from "./namespace.ts";
import { answerOnce } from "./retryable.ts";

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
  const documents = documentsOf(call);
  if (documents.length === 0 || documents.length > MAX_WRITE_BATCH) {
    throw new CommandError(
      "InvalidLength",
      `Write batch sizes must be between 1 and ${MAX_WRITE_BATCH}. Got ${documents.length} operations.`,
    );
  }
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

/** The documents: views of the message, whether they stand beside the body or in it. */
function documentsOf(call: CommandCall): readonly RawDocument[] {
  for (const { name } of call.sequences) {
    if (name !== "documents") {
      throw new CommandError(40415, `BSON field 'insert.${name}' is an unknown field.`);
    }
  }
  const sequence = call.sequences[0];
  if (sequence !== undefined) return sequence.documents;
  const at = call.args.offset("documents");
  if (at === undefined || !call.args.has("documents")) throw missingField("insert.documents");
  const { bytes } = call.args.body;
  const documents: RawDocument[] = [];
  new RawDocument(bytes, valueStart(bytes, at)).forEachElement((element) => {
    const type = elementType(bytes, element);
    if (type !== BsonType.Object) {
      throw new CommandError(
        "TypeMismatch",
        `BSON field 'insert.documents.${documents.length}' is the wrong type '${aliasOfType(type)}', ` +
          "expected type 'object'",
      );
    }
    documents.push(new RawDocument(bytes, valueStart(bytes, element)));
  });
  return documents;
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
  if (refused.length === 0) return await router.insert(namespace, documents, ordered);
  if (places.length === 0) return { inserted: 0, errors: refused };
  const result = await router.insert(namespace, places.map((place) => documents[place]!), ordered);
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
