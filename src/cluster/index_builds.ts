/**
 * The indexes of regular collections in their store, as the catalog wants them. The catalog has the say, and the store its
 * keys: what a crash left different is made good at the next start.
 */
import { assert, CommandError } from "../base/mod.ts";
import { type Binary, type Document } from "../bson/mod.ts";
import { newScanCounters, type Source, withContext } from "../query/mod.ts";
import { type BuildProgress, type DocumentStore, duplicateKeyError } from "../storage/mod.ts";
import { type CollectionInfo, namespaceText } from "./catalog.ts";
import type { DocumentCheck } from "./document_check.ts";
import type { DocumentWriter } from "./document_writer.ts";
import { hasKeys, placeCheck } from "./place_check.ts";
import { failsTransaction } from "./document_statement.ts";
import { hasSameKeys, isSameSpec, storedSpec } from "./indexes.ts";

export interface IndexedStore {
  readonly store: DocumentStore;
  readonly writer: DocumentWriter;
}

/**
 * Makes indexes over all documents; none of them is there when it throws. Those of a time series have no keys: its rows are
 * looked at only.
 *
 * @throws CommandError as MongoDB's, whose words name the build and the collection
 */
export async function buildIndexes(
  { store, writer }: IndexedStore,
  source: Source,
  info: CollectionInfo,
  indexes: readonly Document[],
  checkpoint: (progress: BuildProgress) => Promise<void>,
): Promise<void> {
  const isSeries = info.timeseries !== undefined;
  try {
    const total = isSeries ? 0 : store.totalsCommitted(info.id).count;
    await checkPlaces(source, placeCheck(indexes, info.timeseries), () => checkpoint({ done: 0, total }));
    const stored = isSeries ? [] : indexes.filter(hasKeys).map(storedSpec);
    const taken = stored.length === 0 ? undefined : await writer.buildIndexes(info.id, stored, checkpoint);
    if (taken !== undefined) throw duplicateKeyError(namespaceText(info), taken);
  } catch (error) {
    if (!(error instanceof CommandError) || failsTransaction(error)) throw error;
    const build = `Index build failed: ${crypto.randomUUID()}`;
    throw withContext(`${build}: Collection ${namespaceText(info)} ( ${uuidText(info.uuid)} )`, error);
  }
}

/** @throws CommandError for a document whose places an index cannot take */
async function checkPlaces(
  source: Source,
  check: DocumentCheck | undefined,
  checkpoint: () => Promise<void>,
): Promise<void> {
  if (check === undefined) return;
  for await (const batch of source.scan({ checkpoint, counters: newScanCounters() })) {
    for (const document of batch) {
      const wrong = check(document);
      if (wrong !== undefined) throw wrong;
    }
  }
}

/** Drops all indexes but these, and has those that stay do what they are to do. */
export async function keepIndexes(
  { store, writer }: IndexedStore,
  info: CollectionInfo,
  indexes: readonly Document[],
): Promise<void> {
  const wanted = indexes.filter(hasKeys).map(storedSpec);
  const stale = store.indexStates(info.id).filter(({ definition }) =>
    !wanted.some((spec) => isSameSpec(spec, definition.spec))
  );
  if (stale.length === 0) return;
  const redefined = wanted.filter((spec) =>
    stale.some(({ definition }) => hasSameKeys(spec, definition.spec))
  );
  const dropped = stale.map(({ definition }) => definition.name)
    .filter((name) => !redefined.some((spec) => spec.get("name") === name));
  await writer.changeIndexes(info.id, dropped, redefined);
}

/** After the log was replayed: drops what the catalog does not name, and makes what is missing. */
export async function matchIndexes(stores: IndexedStore, infos: readonly CollectionInfo[]): Promise<void> {
  for (const info of infos) {
    if (info.timeseries !== undefined || info.view !== undefined) continue;
    const indexes = info.indexes ?? [];
    await keepIndexes(stores, info, indexes);
    const states = stores.store.indexStates(info.id);
    const missing = indexes.filter(hasKeys).map(storedSpec).filter((spec) =>
      !states.some(({ definition }) => isSameSpec(spec, definition.spec))
    );
    if (missing.length === 0) continue;
    const taken = await stores.writer.buildIndexes(info.id, missing, () => Promise.resolve());
    assert(taken === undefined, `all documents of ${namespaceText(info)} fit its unique indexes`);
  }
}

function uuidText(uuid: Binary): string {
  return uuid.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
