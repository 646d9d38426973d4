/** The indexes of a collection, as `listIndexes` shows them. */
import { BuiltDocument, type Document, Int32 } from "../bson/mod.ts";
import { type CollectionInfo, indexesOf as indexesInCatalog } from "../cluster/mod.ts";

export const ID_INDEX: Document = BuiltDocument.of({
  v: Int32.of(2),
  key: BuiltDocument.of({ _id: Int32.of(1) }),
  name: "_id_",
});

/** `_id_` first, which a time series has not. */
export function indexesOf(info: CollectionInfo): readonly Document[] {
  const indexes = indexesInCatalog(info);
  return info.timeseries === undefined ? [idIndexOf(info), ...indexes] : indexes;
}

/** The index of a plain collection that is always there, with the collection's collation. */
export function idIndexOf({ options }: CollectionInfo): Document {
  const collation = options.get("collation");
  if (collation === undefined) return ID_INDEX;
  return new BuiltDocument([...ID_INDEX.names(), "collation"], [...ID_INDEX.values(), collation]);
}
