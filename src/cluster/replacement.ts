/**
 * A collection that takes another one's place (`$out`): rows go into one of a name of its own, which in the end gets the
 * other's name, by one entry of the catalog. One that a crash left behind is dropped at the next start.
 */
import { CommandError, MAX_DOCUMENT_BYTES } from "../base/mod.ts";
import { BuiltDocument, type Document, encodeDocument, RawDocument } from "../bson/mod.ts";
import { checkLeavingSize, type CollectionName, type Replacement } from "../query/mod.ts";
import type { CollectionInfo } from "./catalog.ts";
import type { CollectionSpec, InsertResult } from "./router.ts";

/** What it needs of the router. */
export interface ReplacementOwner {
  create(namespace: CollectionName, spec: CollectionSpec): Promise<CollectionInfo>;
  modify(info: CollectionInfo): Promise<void>;
  drop(info: CollectionInfo): Promise<void>;
  insert(info: CollectionInfo, documents: readonly RawDocument[]): Promise<InsertResult>;
}

const TEMPORARY = BuiltDocument.of({ temp: true });

/** Whether a collection is one in the making. */
export function isTemporary(info: CollectionInfo): boolean {
  return info.options.get("temp") === true;
}

export async function beginReplacement(
  target: CollectionName,
  spec: CollectionSpec,
  owner: ReplacementOwner,
): Promise<Replacement> {
  const name = { db: target.db, collection: `tmp.agg_out.${crypto.randomUUID()}` };
  const made = await owner.create(name, { ...spec, options: TEMPORARY });
  // Errors name the collection that it is going to be.
  const final: CollectionInfo = { ...made, ...target, options: spec.options };
  return {
    insert: async (documents) => {
      const { errors } = await owner.insert(final, documents.map(encoded));
      if (errors[0] !== undefined) throw errors[0].error;
    },
    commit: () => owner.modify(final),
    abandon: () => owner.drop(made),
  };
}

/** A row as it is stored. @throws CommandError when it is too large */
export function encoded(row: Document): RawDocument {
  const document = new RawDocument(encodeDocument(row));
  const { sizeBytes } = document;
  checkLeavingSize(document, sizeBytes);
  if (sizeBytes <= MAX_DOCUMENT_BYTES) return document;
  throw new CommandError(
    "BadValue",
    `object to insert too large. size in bytes: ${sizeBytes}, max size: ${MAX_DOCUMENT_BYTES}`,
  );
}
