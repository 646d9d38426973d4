/** What the stores of a VNode hold of one collection: how much, and whether it is whole. */
import {
  type DocumentStats,
  type DocumentStore,
  ID_INDEX_NAME,
  type TimeseriesStore,
} from "../storage/mod.ts";
import { clusteredIndexOf } from "./clustered.ts";
import type { CollectionInfo } from "./catalog.ts";
import type { CollectionStats, Verification } from "./router.ts";

export interface Stores {
  readonly documents: DocumentStore;
  readonly timeseries: TimeseriesStore;
}

const NO_STATS: CollectionStats = { count: 0, dataBytes: 0, storageBytes: 0, indexBytes: 0 };

export function statsOf({ documents, timeseries: store }: Stores, info: CollectionInfo): CollectionStats {
  if (info.timeseries === undefined) {
    return documents.hasCollection(info.id) ? documentStats(documents.stats(info.id), info) : NO_STATS;
  }
  if (!store.hasTable(info.id)) return NO_STATS;
  const { rows: count, dataBytes, storageBytes, indexBytes, ...timeseries } = store.stats(info.id);
  return { count, dataBytes, storageBytes, indexBytes, timeseries };
}

/** The index on _id of a clustered collection is the documents' own. */
function documentStats(stats: DocumentStats, info: CollectionInfo): CollectionStats {
  const indexSizes = new Map(stats.indexSizes);
  let { storageBytes } = stats;
  if (clusteredIndexOf(info) !== undefined) {
    storageBytes += indexSizes.get(ID_INDEX_NAME) ?? 0;
    indexSizes.delete(ID_INDEX_NAME);
  }
  const indexBytes = indexSizes.values().reduce((sum, bytes) => sum + bytes, 0);
  return { ...stats, storageBytes, indexBytes, indexSizes };
}

/** Reads all that the files hold of a collection. @param pause lets others run */
export async function verifyFiles(
  stores: Stores,
  info: CollectionInfo,
  isFull: boolean,
  pause: () => Promise<void>,
): Promise<Verification> {
  const { documents: store, timeseries } = stores;
  const { id } = info;
  if (info.timeseries === undefined) {
    const none = { documents: 0, invalidDocuments: 0, problems: [], indexes: [] };
    const indexes = (info.indexes ?? []).map((index) => String(index.get("name")));
    const found = store.hasCollection(id)
      ? await store.inspector.verify(id, { indexes, isFull, pause })
      : none;
    const { documents, ...others } = found;
    return { records: documents, ...others, columns: [] };
  }
  const records = statsOf(stores, info).count;
  const none = { columns: [], damages: [] };
  const found = timeseries.hasTable(id) ? await timeseries.verify(id, pause) : none;
  const problems = found.damages.map(({ path, offset, reason }) => `"${path}" at byte ${offset}: ${reason}`);
  return { records, invalidDocuments: 0, problems, indexes: [], columns: found.columns };
}
