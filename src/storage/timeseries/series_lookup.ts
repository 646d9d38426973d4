/**
 * Finds series by the values in their metas: by looking at the bytes of all of them where a path is asked for the first time,
 * with postings that are built when it is asked for again.
 */
import { compareBytes } from "../../bson/mod.ts";
import { viewOf } from "../../column/mod.ts";
import { KeyTable } from "./key_table.ts";
import { type KeyVisit, MetaKeys, type SeriesPath } from "./meta_keys.ts";
import type { PathCache } from "./path_cache.ts";
import { PathPostings } from "./path_postings.ts";
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
/** Series that are looked at between two calls of `rest`. */
const SERIES_BETWEEN_RESTS = 256;

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
  if (source.seriesCount < LEAST_INDEXED_SERIES) return undefined;
  return await find(source, lookup, rest);
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
  if (postings === undefined) return await lookAtAll(source, lookup, rest);
  const marks = new Uint8Array(source.seriesCount).fill(1, Math.min(postings.covered, source.seriesCount));
  if (lookup.kind === "range") await postings.markRange(lookup.from, lookup.to, marks, rest);
  else for (const key of lookup.keys) postings.markKey(key, marks);
  return marks;
}

/** Postings take longer to build than it takes to look at all series once, and only pay when they are used again. */
async function postingsOf(
  { tableId, index, seriesCount, postings }: LookupSource,
  path: SeriesPath,
  rest: () => Promise<void>,
): Promise<PathPostings | undefined> {
  if (postings.isNew(tableId, path.name)) return undefined;
  const known = postings.get(tableId, path.name);
  if (known !== undefined && seriesCount - known.covered <= seriesCount / MISSED_SHARE) return known;
  const built = await PathPostings.build(index, path, seriesCount, rest);
  postings.set(tableId, path.name, built);
  return built;
}

async function lookAtAll(
  { index, seriesCount }: LookupSource,
  lookup: KeyLookup,
  rest: () => Promise<void>,
): Promise<Uint8Array> {
  const marks = new Uint8Array(seriesCount);
  const keys = new MetaKeys(index, lookup.path);
  const isAskedFor = testOf(lookup);
  let series = 0;
  const visit: KeyVisit = (view, length) => {
    if (isAskedFor(view, length)) marks[series] = 1;
  };
  for (; series < seriesCount; series++) {
    keys.visit(series, visit);
    if (series % SERIES_BETWEEN_RESTS === 0) await rest();
  }
  return marks;
}

/** Whether a key, in the first bytes of a view, is one of those that a lookup asks for. */
function testOf(lookup: KeyLookup): (view: DataView, length: number) => boolean {
  if (lookup.kind === "range") {
    const { from, to } = lookup;
    return (view, length) => {
      const key = new Uint8Array(view.buffer, view.byteOffset, length);
      return compareBytes(key, from) >= 0 && compareBytes(key, to) < 0;
    };
  }
  const asked = new KeyTable();
  for (const key of lookup.keys) asked.numberOf(0, viewOf(key), 0, key.length);
  return (view, length) => asked.find(0, view, 0, length) >= 0;
}
