/** The indexes that the catalog knows of a collection. */
import {
  BuiltDocument,
  type Collation,
  compareBytes,
  Document,
  encodeDocument,
  Int32,
  RawDocument,
} from "../bson/mod.ts";
import { compileFilter, parseFilter } from "../query/mod.ts";
import type { CollectionInfo } from "./catalog.ts";

const ASCENDING = Int32.of(1);
const INDEX_VERSION = Int32.of(2);

/** Those beside the one on _id, or of a time series the one that it comes with: on series and time, as in MongoDB since 6.3. */
export function indexesOf(info: CollectionInfo): readonly Document[] {
  if (info.indexes !== undefined) return info.indexes;
  if (info.timeseries?.metaField === undefined) return [];
  const { timeField, metaField } = info.timeseries;
  return [BuiltDocument.of({
    v: INDEX_VERSION,
    key: new BuiltDocument([metaField, timeField], [ASCENDING, ASCENDING]),
    name: `${metaField}_1_${timeField}_1`,
  })];
}

/**
 * Whether an index keeps documents apart by these fields, in any order; those of time series do not. That on _id does for
 * all collations, as in MongoDB; others compare texts by their bytes.
 */
export function hasUniqueKey(
  info: CollectionInfo | undefined,
  fields: readonly string[],
  collation?: Collation,
): boolean {
  if (fields.length === 1 && fields[0] === "_id") return true;
  if (collation !== undefined) return false;
  if (info === undefined || info.view !== undefined || info.timeseries !== undefined) return false;
  return indexesOf(info).some((index) => {
    const key = index.get("key");
    return index.get("unique") === true && !index.has("partialFilterExpression") && key instanceof Document &&
      key.names().length === fields.length && fields.every((field) => key.has(field));
  });
}

/** What decides about an index's keys: its definition in the store. */
const STORED_FIELDS: ReadonlySet<string> = new Set([
  "key",
  "name",
  "unique",
  "prepareUnique",
  "sparse",
  "partialFilterExpression",
  "wildcardProjection",
]);

/** The part of a definition that the store keeps: whether it is hidden, or when documents go, is not the keys' matter. */
export function storedSpec(index: Document): RawDocument {
  const names = index.names().filter((name) => STORED_FIELDS.has(name));
  return new RawDocument(encodeDocument(new BuiltDocument(names, names.map((name) => index.get(name)))));
}

export function isSameSpec(a: Document, b: Document): boolean {
  return compareBytes(encodeDocument(a), encodeDocument(b)) === 0;
}

/** Whether two definitions in the store are of one index with the same keys, unique or not. */
export function hasSameKeys(a: Document, b: Document): boolean {
  return isSameSpec(withoutUnique(a), withoutUnique(b));
}

function withoutUnique(spec: Document): Document {
  const names = spec.names().filter((name) => name !== "unique" && name !== "prepareUnique");
  return new BuiltDocument(names, names.map((name) => spec.get(name)));
}

/** Which documents a partial index holds. */
export function partialFilter(filter: Document): (document: Document) => boolean {
  return compileFilter(parseFilter(filter));
}
