/** The indexes of a collection, as `listIndexes` shows them. */
import { BuiltDocument, type Document, Int32 } from "../bson/mod.ts";
import type { CollectionInfo } from "../cluster/mod.ts";

const INDEX_VERSION = Int32.of(2);
const ASCENDING = Int32.of(1);

export const ID_INDEX: Document = BuiltDocument.of({
  v: INDEX_VERSION,
  key: BuiltDocument.of({ _id: ASCENDING }),
  name: "_id_",
});

/** `_id_` of a plain collection; of a time series the one on series and time that MongoDB makes since 6.3. */
export function indexesOf(info: CollectionInfo): readonly Document[] {
  if (info.timeseries === undefined) return [ID_INDEX];
  const { timeField, metaField } = info.timeseries;
  if (metaField === undefined) return [];
  return [BuiltDocument.of({
    v: INDEX_VERSION,
    key: new BuiltDocument([metaField, timeField], [ASCENDING, ASCENDING]),
    name: `${metaField}_1_${timeField}_1`,
  })];
}
