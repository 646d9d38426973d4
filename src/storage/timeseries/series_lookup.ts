/** Finds series by the values in their metas, with postings that are built when a path is asked for again. */
import type { PathCache } from "./path_cache.ts";
import { PathPostings, type SeriesPath } from "./path_postings.ts";
import type { SeriesIndex } from "./series_index.ts";

/** What to find; the twin of `SeriesLookup` in query/source.ts, which says what each means. */
export type SeriesLookup = KeyLookup | JoinedLookup;

type KeyLookup =
  | { readonly kind: "keys"; readonly path: SeriesPath; readonly keys: readonly Uint8Array[] }
  | { readonly kind: "range"; readonly path: SeriesPath; readonly from: Uint8Array; readonly to: Uint8Array };

interface JoinedLookup {
  readonly kind: "and" | "or";
  readonly lookups: readonly SeriesLookup[];
}

/** Fewer series than this are judged one by one. */
const LEAST_INDEXED_SERIES = 64;
/** Postings are built anew once they miss one series in so many. */
const MISSED_SHARE = 8;

/** Where a scan finds series: its table's metas and postings. */
export interface LookupSource {
  readonly tableId: number;
  readonly index: SeriesIndex;
  /** Series with lower numbers exist. */
  readonly seriesCount: number;
  readonly postings: PathCache<PathPostings>;
}

/**
 * The series that a lookup finds, and those that came after its postings were built: one byte a series, 1 for such;
 * undefined where judging all is as good.
 *
 * @param rest awaited now and then, to let others run
 */
export async function lookUpSeries(
  source: LookupSource,
  lookup: SeriesLookup,
  rest: () => Promise<void>,
): Promise<Uint8Array | undefined> {
  if (source.seriesCount < LEAST_INDEXED_SERIES || hasNewPath(source, lookup)) return undefined;
  return await find(source, lookup, rest);
}

/** To judge all series once takes no longer than to build postings, which only pay when they are used again. */
function hasNewPath(source: LookupSource, lookup: SeriesLookup): boolean {
  if (!("lookups" in lookup)) return source.postings.isNew(source.tableId, lookup.path.name);
  return lookup.lookups.map((each) => hasNewPath(source, each)).includes(true);
}

function find(source: LookupSource, lookup: SeriesLookup, rest: () => Promise<void>): Promise<Uint8Array> {
  return "lookups" in lookup ? findJoined(source, lookup, rest) : findByKey(source, lookup, rest);
}

async function findJoined(
  source: LookupSource,
  { kind, lookups }: JoinedLookup,
  rest: () => Promise<void>,
): Promise<Uint8Array> {
  const marks = await find(source, lookups[0]!, rest);
  for (const lookup of lookups.slice(1)) {
    const more = await find(source, lookup, rest);
    if (kind === "and") { for (let i = 0; i < marks.length; i++) marks[i]! &= more[i]!; }
    else for (let i = 0; i < marks.length; i++) marks[i]! |= more[i]!;
  }
  return marks;
}

async function findByKey(
  source: LookupSource,
  lookup: KeyLookup,
  rest: () => Promise<void>,
): Promise<Uint8Array> {
  const postings = await postingsOf(source, lookup.path, rest);
  const marks = new Uint8Array(source.seriesCount).fill(1, Math.min(postings.covered, source.seriesCount));
  if (lookup.kind === "range") await postings.markRange(lookup.from, lookup.to, marks, rest);
  else for (const key of lookup.keys) postings.markKey(key, marks);
  return marks;
}

async function postingsOf(
  { tableId, index, seriesCount, postings }: LookupSource,
  path: SeriesPath,
  rest: () => Promise<void>,
): Promise<PathPostings> {
  const known = postings.get(tableId, path.name);
  if (known !== undefined && seriesCount - known.covered <= seriesCount / MISSED_SHARE) return known;
  const built = await PathPostings.build(index, path, seriesCount, rest);
  postings.set(tableId, path.name, built);
  return built;
}
