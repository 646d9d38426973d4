/** One document on its way into a regular collection. */
import { CommandError } from "../base/mod.ts";
import type { RawDocument } from "../bson/mod.ts";
import type { CollectionLimits } from "../storage/mod.ts";
import { takenError } from "./clustered.ts";
import type { DocumentCheck } from "./document_check.ts";
import { withIdFirst } from "./document_id.ts";
import { failsTransaction, type WrittenDocuments } from "./document_statement.ts";

interface InsertedInto {
  readonly id: number;
  readonly namespace: string;
  readonly clusteredIndex?: string | undefined;
  readonly check?: DocumentCheck | undefined;
  readonly limits?: CollectionLimits | undefined;
}

/**
 * @returns why it was not inserted, or what has to be waited for before it can be
 * @throws CommandError for which the transaction must be rolled back
 */
export function insertDocument(
  store: WrittenDocuments,
  collection: InsertedInto,
  document: RawDocument,
): CommandError | Promise<void> | undefined {
  const { id, namespace, check, limits } = collection;
  if (!store.hasCollection(id)) {
    return new CommandError("NamespaceNotFound", `collection ${namespace} was dropped`);
  }
  try {
    const complete = withIdFirst(document);
    const blocked = check?.(complete) ?? store.blockedBy(id, complete);
    if (blocked !== undefined) return blocked;
    const taken = store.insert(id, complete);
    if (taken !== undefined) return takenError(collection, taken);
    if (limits !== undefined) store.evict(id, limits);
    return undefined;
  } catch (error) {
    if (error instanceof CommandError && !failsTransaction(error)) return error;
    throw error;
  }
}
