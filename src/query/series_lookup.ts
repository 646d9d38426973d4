/**
 * What a filter on the metaField says that an index on its paths can answer: comparisons, `$in` and `$exists`, joined by
 * `$and` and `$or`. Values are told apart by their index keys (`encodeIndexKey`), whose bytes have the order and the
 * equality of BSON values, and a path names the values in a meta that it names for the filter itself (filter/path.ts).
 * So a series that passes the filter is always among those found; the filter has the last word.
 */
import { BsonUndefined, BuiltDocument, encodeIndexKey, isCollated, type Value } from "../bson/mod.ts";
import type { ComparisonFilter, Filter, InFilter, Path } from "./filter/filter.ts";
import { someValueAt } from "./filter/path.ts";
import type { SeriesLookup, SeriesPath } from "./source.ts";

/** The key of a missing value, which no value has. */
const MISSING = Uint8Array.of(0);
/** Between the key of a missing value and those of all others, and above all. */
const FIRST_KEY = Uint8Array.of(1);
const BEYOND_KEYS = Uint8Array.of(0xff);

/**
 * How to find the series that may pass; undefined when an index cannot tell.
 *
 * @param filter reads only the metaField
 */
export function seriesLookupOf(filter: Filter): SeriesLookup | undefined {
  switch (filter.kind) {
    case "and": {
      const lookups = filter.filters.map(seriesLookupOf).filter((lookup) => lookup !== undefined);
      if (lookups.length <= 1) return lookups[0];
      return { kind: "and", lookups };
    }
    case "or": {
      const lookups = filter.filters.map(seriesLookupOf).filter((lookup) => lookup !== undefined);
      return lookups.length < filter.filters.length ? undefined : { kind: "or", lookups };
    }
    case "comparison":
      return lookupOfComparison(filter);
    case "in":
      return lookupOfIn(filter);
    case "exists":
      return { kind: "range", path: seriesPath(filter.path), from: FIRST_KEY, to: BEYOND_KEYS };
    default:
      return undefined;
  }
}

/** Values of other types are not compared, but for those with MinKey and MaxKey. */
function lookupOfComparison(filter: ComparisonFilter): SeriesLookup | undefined {
  const { path, operator, value, collation } = filter;
  if (collation !== undefined && isCollated(value)) return undefined;
  if (operator === "$eq" || value === null) {
    const keys: Uint8Array[] = [];
    addKeys(value, keys);
    return { kind: "keys", path: seriesPath(path), keys };
  }
  const key = encodeIndexKey(value);
  const rank = key[0]!;
  if (key.length === 1) return undefined;
  const all = { from: Uint8Array.of(rank), to: Uint8Array.of(rank + 1) };
  const bounds = {
    $gt: { from: justAbove(key) },
    $gte: { from: key },
    $lt: { to: key },
    $lte: { to: justAbove(key) },
  };
  return { kind: "range", path: seriesPath(path), ...all, ...bounds[operator] };
}

function lookupOfIn({ path, values, patterns, collation }: InFilter): SeriesLookup | undefined {
  if (collation !== undefined && values.some(isCollated)) return undefined;
  if (patterns.length > 0) return undefined;
  const keys: Uint8Array[] = [];
  for (const value of values) addKeys(value, keys);
  return { kind: "keys", path: seriesPath(path), keys };
}

/** Adds the keys of the values that are equal to one: for null also undefined and missing ones. */
function addKeys(value: Value, keys: Uint8Array[]): void {
  keys.push(encodeIndexKey(value));
  if (value === null) keys.push(encodeIndexKey(BsonUndefined.VALUE), MISSING);
}

/** Above a key and below all larger ones: no key begins with another. */
function justAbove(key: Uint8Array): Uint8Array {
  const above = new Uint8Array(key.length + 1);
  above.set(key);
  return above;
}

function seriesPath(path: Path): SeriesPath {
  const metaField = [path[0]!];
  return {
    name: path.slice(1).join("\0"),
    fields: path.slice(1),
    missingKey: MISSING,
    visitKeys(meta, visit) {
      const document = meta === undefined ? BuiltDocument.EMPTY : new BuiltDocument(metaField, [meta]);
      someValueAt(document, path, (value) => {
        visit(value === undefined ? MISSING : encodeIndexKey(value));
        return false;
      }, true);
    },
  };
}
