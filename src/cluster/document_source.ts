/** A regular collection as queries read it, with the indexes that they may use. */
import { BuiltDocument, Document, Int32 } from "../bson/mod.ts";
import type { Rows, Source, SourceIndex } from "../query/mod.ts";
import { clusteredName, clusteredOrder } from "./clustered.ts";
import { coversPath, type DocumentStore, ID_INDEX_NAME, type IndexState } from "../storage/mod.ts";
import type { CollectionInfo } from "./catalog.ts";
import { placeIndexes } from "./place_check.ts";

const ID_INDEX: SourceIndex = {
  name: ID_INDEX_NAME,
  keyPattern: BuiltDocument.of({ _id: Int32.of(1) }),
  fields: [{ path: ["_id"], descending: false }],
  arrays: [[]],
  isUnique: true,
  isSparse: false,
  isHidden: false,
  partialFilter: undefined,
};

/** @param store with all documents, or as a transaction sees them */
export function documentSource(
  store: Pick<DocumentStore, "indexStates" | "hasPlainIds" | "hasCollection" | "scan">,
  info: CollectionInfo,
): Source & { readonly shape: { readonly kind: "documents" } } {
  const clustered = clusteredName(info);
  return {
    shape: {
      kind: "documents",
      indexes: sourceIndexes(store, info),
      placeIndexes: placeIndexes(info),
      isClustered: clustered !== undefined,
    },
    scan: (request) =>
      store.hasCollection(info.id) ? store.scan(info.id, clusteredOrder(clustered, request)) : noRows(),
  };
}

/** As `documentSource`, of committed documents: rows that nobody reads are counted. */
export function countedSource(store: DocumentStore, info: CollectionInfo): Source {
  const { shape, scan } = documentSource(store, info);
  return {
    shape: { ...shape, counts: true },
    scan,
    count: ({ index }) => {
      if (!store.hasCollection(info.id)) return [];
      const order = index && clusteredOrder(clusteredName(info), { index }).index;
      if (order === undefined) return [store.totalsCommitted(info.id).count];
      return store.countRows(info.id, order);
    },
  };
}

async function* noRows(): Rows {}

/** Those that the catalog names and the store has, and that on _id. */
export function sourceIndexes(
  store: Pick<DocumentStore, "indexStates" | "hasPlainIds">,
  info: CollectionInfo,
): readonly SourceIndex[] {
  const indexes: SourceIndex[] = [];
  for (const state of store.indexStates(info.id)) {
    const index = info.indexes && sourceIndex(state, info.indexes);
    if (index !== undefined) indexes.push(index);
  }
  const clustered = clusteredName(info);
  indexes.push(
    clustered === undefined
      ? { ...ID_INDEX, keysAreOpen: !store.hasPlainIds(info.id) }
      : { ...ID_INDEX, name: clustered, isClustered: true as const },
  );
  return indexes;
}

/** What a query may know of an index, as it was last made of its state and of what the catalog says. */
interface Known {
  readonly listed: readonly Document[];
  readonly arrays: IndexState["arrays"];
  readonly index: SourceIndex | undefined;
}

const KNOWN = new WeakMap<IndexState["definition"], Known>();

/** @param listed those that the catalog names; undefined where this one is not among them */
function sourceIndex(
  { definition, arrays }: IndexState,
  listed: readonly Document[],
): SourceIndex | undefined {
  const known = KNOWN.get(definition);
  if (known?.listed === listed && known.arrays === arrays) return known.index;
  const { name, keyPattern, fields, wildcard, isUnique, isSparse, spec } = definition;
  const entry = listed.find((each) => each.get("name") === name);
  const filter = spec.get("partialFilterExpression");
  const index = entry && {
    name,
    keyPattern,
    fields,
    arrays,
    isUnique,
    isSparse,
    isHidden: entry.get("hidden") === true,
    partialFilter: filter instanceof Document ? filter : undefined,
    covers: wildcard && ((path: readonly string[]) => coversPath(wildcard, path)),
  };
  KNOWN.set(definition, { listed, arrays, index });
  return index;
}
