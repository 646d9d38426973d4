/** The index on _id, which is every collection's own: the unique one on the key of its table (collection_table.ts). */
import { BuiltDocument, Int32 } from "../../bson/mod.ts";
import type { IndexDefinition } from "./index_definition.ts";

/** Under this name no other index can be. */
export const ID_INDEX_NAME = "_id_";

const KEY_PATTERN = BuiltDocument.of({ _id: Int32.of(1) });

export const ID_INDEX_DEFINITION: IndexDefinition = {
  name: ID_INDEX_NAME,
  spec: BuiltDocument.of({ key: KEY_PATTERN, name: ID_INDEX_NAME }),
  keyPattern: KEY_PATTERN,
  fields: [{ path: ["_id"], descending: false }],
  wildcard: undefined,
  isUnique: true,
  refusesDuplicates: true,
  isSparse: false,
  reads: new Set(["_id"]),
  includes: undefined,
};
