/** The indexes of a collection, as `listIndexes` shows them. */
import { BuiltDocument, Document, equalValues, Int32, type Value } from "../bson/mod.ts";
import { clusteredIndexOf, type CollectionInfo, indexesOf as indexesInCatalog } from "../cluster/mod.ts";

export const ID_INDEX: Document = BuiltDocument.of({
  v: Int32.of(2),
  key: BuiltDocument.of({ _id: Int32.of(1) }),
  name: "_id_",
});

/** Those beside the documents: `_id_` first, which a time series and a clustered collection have not. */
export function indexesOf(info: CollectionInfo): readonly Document[] {
  const idIndex = idIndexOf(info);
  const indexes = indexesInCatalog(info);
  return idIndex === undefined ? indexes : [idIndex, ...indexes];
}

/** As `indexesOf`, with the one that the documents themselves are. */
export function listedIndexes(info: CollectionInfo): readonly Document[] {
  const clustered = clusteredIndexOf(info);
  if (clustered === undefined) return indexesOf(info);
  const shown = new BuiltDocument([...clustered.names(), "clustered"], [...clustered.values(), true]);
  return [shown, ...indexesOf(info)];
}

/** The index of a plain collection that is always there, with the collection's collation; undefined where there is none. */
export function idIndexOf(info: CollectionInfo): Document | undefined {
  if (info.timeseries !== undefined || clusteredIndexOf(info) !== undefined) return undefined;
  const collation = info.options.get("collation");
  if (collation === undefined) return ID_INDEX;
  return new BuiltDocument([...ID_INDEX.names(), "collation"], [...ID_INDEX.values(), collation]);
}

/** Whether an index has that key, its fields in that order. */
export function hasKey(index: Document, key: Value): boolean {
  const own = index.get("key");
  return own instanceof Document && key instanceof Document && equalValues(own, key) &&
    own.names().join("\0") === key.names().join("\0");
}
