/**
 * 2dsphere indexes: names in the catalog, and a check that what is written under them are places. They have no keys, so that
 * queries for places look at all documents; but queries for distances ask for one.
 */
import { CommandError } from "../base/mod.ts";
import { Document } from "../bson/mod.ts";
import { type PlaceIndex, wrongWithMeasuredPlaces, wrongWithPlaces } from "../query/mod.ts";
import { shownDocument } from "../storage/mod.ts";
import type { CollectionInfo } from "./catalog.ts";
import type { DocumentCheck } from "./document_check.ts";
import { partialFilter } from "./indexes.ts";

/** What a collection's indexes over places are to its writers and to the planner. */
interface Places {
  readonly check: DocumentCheck | undefined;
  readonly indexes: readonly PlaceIndex[];
}

/** Of a time series: its metaField, if it has one. */
interface Series {
  readonly metaField?: string | undefined;
}

const NO_INDEXES: readonly Document[] = [];
/** By the indexes of a collection, which are others when they change. */
const PLACES = new WeakMap<readonly Document[], Places>();

function placesOf(indexes: readonly Document[], series: Series | undefined): Places {
  let known = PLACES.get(indexes);
  if (known === undefined) {
    PLACES.set(indexes, known = { check: checkOf(indexes, series), indexes: placeIndexesOf(indexes) });
  }
  return known;
}

/** Undefined where none of the indexes is over places. */
export function placeCheck(
  indexes: readonly Document[] = NO_INDEXES,
  series?: Series,
): DocumentCheck | undefined {
  return placesOf(indexes, series).check;
}

/** What the planner may know of them. */
export function placeIndexes(
  { indexes = NO_INDEXES, timeseries }: CollectionInfo,
): readonly PlaceIndex[] {
  return placesOf(indexes, timeseries).indexes;
}

function checkOf(indexes: readonly Document[], series: Series | undefined): DocumentCheck | undefined {
  const checks = indexes.filter((index) => !hasKeys(index)).map((index) => {
    const filter = index.get("partialFilterExpression");
    const includes = filter instanceof Document ? partialFilter(filter) : undefined;
    return { paths: pathsOf(index), includes };
  });
  if (checks.length === 0) return undefined;
  return (document) => {
    for (const { paths, includes } of checks) {
      if (includes !== undefined && !includes(document)) continue;
      for (const path of paths) {
        if (series !== undefined && path[0] !== series.metaField) {
          const wrong = wrongWithMeasuredPlaces(document, path);
          if (wrong !== undefined) return wrong;
          continue;
        }
        const wrong = wrongWithPlaces(document, path);
        if (wrong === undefined) continue;
        return new CommandError(16755, `Can't extract geo keys: ${shownDocument(document)}  ${wrong}`);
      }
    }
    return undefined;
  };
}

function placeIndexesOf(indexes: readonly Document[]): readonly PlaceIndex[] {
  return indexes.filter((index) => !hasKeys(index)).map((index) => {
    const key = index.get("key") as Document;
    const filter = index.get("partialFilterExpression");
    return {
      fields: key.names().map((path) => ({ path, isPlace: key.get(path) === "2dsphere" })),
      isHidden: index.get("hidden") === true,
      partialFilter: filter instanceof Document ? filter : undefined,
    };
  });
}

/** Whether an index has keys in the store. */
export function hasKeys(index: Document): boolean {
  return pathsOf(index).length === 0;
}

/** The paths of places. */
function pathsOf(index: Document): readonly (readonly string[])[] {
  const key = index.get("key");
  if (!(key instanceof Document)) return [];
  return key.names().filter((name) => key.get(name) === "2dsphere").map((name) => name.split("."));
}
