/**
 * Finds series by the values in their metas: by looking at the bytes of all of them where a path is asked for the first time,
 * with postings that are built when it is asked for again.
 */
import { BsonType, compareBytes, textOfKey } from "../../bson/mod.ts";
import { viewOf } from "../../column/mod.ts";
import { KeyTable } from "./key_table.ts";
import { MetaKeys, type SeriesPath } from "./meta_keys.ts";
import { MetaFinder } from "./meta_finder.ts";
import type { PathCache } from "./path_cache.ts";
import { PathPostings } from "./path_postings.ts";
import type { SeriesIndex } from "./series_index.ts";
import { SeriesSet } from "./series_set.ts";

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
 * The series that a lookup finds, and those that came after its postings were built; undefined where judging all is as
 * good.
 *
 * @param rest awaited now and then, to let others run
 */
export async function lookUpSeries(
  source: LookupSource,
  lookup: SeriesLookup,
  rest: () => Promise<void>,
): Promise<SeriesSet | undefined> {
  if (source.seriesCount < LEAST_INDEXED_SERIES) return undefined;
  const newPaths = new Set<string>();
  addNewPaths(source, lookup, newPaths);
  return await find({ ...source, newPaths }, lookup, rest);
}

function addNewPaths(source: LookupSource, lookup: SeriesLookup, names: Set<string>): void {
  if ("lookups" in lookup) { for (const each of lookup.lookups) addNewPaths(source, each, names); }
  else if (source.postings.isNew(source.tableId, lookup.path.name)) names.add(lookup.path.name);
}

/** What one lookup finds series in. */
interface Search extends LookupSource {
  /** Paths that nobody has asked for before. */
  readonly newPaths: ReadonlySet<string>;
}

function find(source: Search, lookup: SeriesLookup, rest: () => Promise<void>): Promise<SeriesSet> {
  return "lookups" in lookup ? findJoined(source, lookup, rest) : findByKey(source, lookup, rest);
}

async function findJoined(
  source: Search,
  { kind, lookups }: JoinedLookup,
  rest: () => Promise<void>,
): Promise<SeriesSet> {
  const found = await find(source, lookups[0]!, rest);
  for (const lookup of lookups.slice(1)) {
    const more = await find(source, lookup, rest);
    if (kind === "and") found.intersect(more);
    else found.unite(more);
  }
  return found;
}

async function findByKey(
  source: Search,
  lookup: KeyLookup,
  rest: () => Promise<void>,
): Promise<SeriesSet> {
  const postings = await postingsOf(source, lookup.path, rest);
  if (postings === undefined) return await lookAtAll(source, lookup, rest);
  const found = new SeriesSet(source.seriesCount);
  if (lookup.kind === "range") await postings.addRange(lookup.from, lookup.to, found, rest);
  else for (const key of lookup.keys) postings.addKey(key, found);
  found.addFrom(postings.covered);
  return found;
}

/** Postings take longer to build than it takes to look at all series once, and only pay when they are used again. */
async function postingsOf(
  { tableId, index, seriesCount, postings, newPaths }: Search,
  path: SeriesPath,
  rest: () => Promise<void>,
): Promise<PathPostings | undefined> {
  if (newPaths.has(path.name)) return undefined;
  const known = postings.get(tableId, path.name);
  if (known !== undefined && seriesCount - known.covered <= seriesCount / MISSED_SHARE) return known;
  const built = await PathPostings.build(index, path, seriesCount, rest);
  postings.set(tableId, path.name, built);
  return built;
}

async function lookAtAll(
  { index, seriesCount }: Search,
  lookup: KeyLookup,
  rest: () => Promise<void>,
): Promise<SeriesSet> {
  const found = new SeriesSet(seriesCount);
  const asked = new AskedSeries(index, lookup);
  for (let series = 0; series < seriesCount; series++) {
    if (asked.has(series)) found.add(series);
    if (series % SERIES_BETWEEN_RESTS === 0) await rest();
  }
  return found;
}

/** Which series a lookup asks for, told by the bytes of their metas. */
class AskedSeries {
  private readonly keys: MetaKeys;
  private readonly finder: MetaFinder;
  private readonly isAskedFor: KeyTest;
  /** What is asked for of texts, if that is all. */
  private readonly texts: AskedTexts | undefined;
  private isFound = false;
  private readonly visit = (view: DataView, length: number) => {
    this.isFound ||= this.isAskedFor(view, length);
  };

  constructor(private readonly index: SeriesIndex, lookup: KeyLookup) {
    this.keys = new MetaKeys(index, lookup.path);
    this.finder = new MetaFinder(index, lookup.path.fields);
    this.isAskedFor = keyTestOf(lookup);
    this.texts = lookup.kind === "keys" ? textsOf(lookup.keys) : undefined;
  }

  has(series: number): boolean {
    const { texts, finder, index: { bytes, bytesView } } = this;
    if (texts !== undefined && finder.find(series) && finder.type === BsonType.String) {
      const start = finder.start + 4;
      return texts.has(bytes, bytesView, start, start + bytesView.getInt32(finder.start, true) - 1);
    }
    this.isFound = false;
    this.keys.visit(series, this.visit);
    return this.isFound;
  }
}

/** Whether a key, in the first bytes of a view, is asked for. */
type KeyTest = (view: DataView, length: number) => boolean;

function keyTestOf(lookup: KeyLookup): KeyTest {
  if (lookup.kind === "range") {
    const { from, to } = lookup;
    return (view, length) => {
      const key = new Uint8Array(view.buffer, view.byteOffset, length);
      return compareBytes(key, from) >= 0 && compareBytes(key, to) < 0;
    };
  }
  const asked = tableOf(lookup.keys);
  return (view, length) => asked.find(0, view, 0, length) >= 0;
}

/** The texts among keys by their bytes; undefined where other bytes may have such a key, too. */
function textsOf(keys: readonly Uint8Array[]): AskedTexts | undefined {
  const texts = keys.map(textOfKey).filter((text) => text !== undefined);
  return texts.length < keys.length ? undefined : new AskedTexts(texts);
}

/** Texts by their bytes. Most others are told from few by how they end, names of one kind among them. */
class AskedTexts {
  private readonly table: KeyTable;
  /** 1 for the endings of some text. */
  private readonly endings = new Uint8Array(ENDINGS);

  constructor(texts: readonly Uint8Array[]) {
    this.table = tableOf(texts);
    for (const text of texts) this.endings[endingOf(text, 0, text.length)] = 1;
  }

  /** Whether the bytes `[start, end)` are one of them. @param view of the same bytes */
  has(bytes: Uint8Array, view: DataView, start: number, end: number): boolean {
    return this.endings[endingOf(bytes, start, end)] === 1 && this.table.find(0, view, start, end) >= 0;
  }
}

const ENDING_BYTES = 2;
const ENDINGS = 1024;

/** A number below `ENDINGS` of the last of the bytes `[start, end)`; 0 where there are fewer. */
function endingOf(bytes: Uint8Array, start: number, end: number): number {
  return end - start < ENDING_BYTES ? 0 : (bytes[end - 2]! * 31 + bytes[end - 1]!) % ENDINGS;
}

function tableOf(keys: readonly Uint8Array[]): KeyTable {
  const table = new KeyTable();
  for (const key of keys) table.numberOf(0, viewOf(key), 0, key.length);
  return table;
}
