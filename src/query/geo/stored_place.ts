/** Whether what documents hold under a 2dsphere index are places, in MongoDB's words. */
import { Document, isArray, type Value } from "../../bson/mod.ts";
import { elementText } from "../element_text.ts";
import { checkedVector, GeometryError, readGeoJson, readPair } from "./geometry.ts";

/** What is wrong with a document's values at a path; undefined for nothing. Missing and empty ones are fine. */
export function wrongWithPlaces(document: Document, path: readonly string[]): string | undefined {
  const [name = "", ...below] = path;
  const value = document.get(name);
  if (below.length === 0) return wrongWithPlace(name, value);
  const inner = isArray(value) ? value : [value];
  for (const each of inner) {
    const wrong = each instanceof Document ? wrongWithPlaces(each, below) : undefined;
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function wrongWithPlace(name: string, value: Value): string | undefined {
  if (value === undefined || value === null) return undefined;
  const isList = isArray(value);
  if (!isList && !(value instanceof Document)) {
    return `geo element must be an array or object: ${elementText(name, value)}`;
  }
  if (isList ? value.length === 0 : value.isEmpty()) return undefined;
  try {
    if (!isList && value.has("type")) readGeoJson(value);
    else return wrongWithPair(name, value);
    return undefined;
  } catch (error) {
    if (!(error instanceof GeometryError)) throw error;
    return error.message === UNKNOWN_TYPE ? `${UNKNOWN_TYPE}: ${textOf(name, value)}` : error.message;
  }
}

const UNKNOWN_TYPE = "unknown GeoJSON type";

/** @throws GeometryError for what is no pair of numbers */
function wrongWithPair(name: string, value: Value): string | undefined {
  const pair = readPair(value);
  try {
    checkedVector(pair);
    return undefined;
  } catch (error) {
    if (!(error instanceof GeometryError)) throw error;
    return `can't project geometry into spherical CRS: ${textOf(name, value)}`;
  }
}

function textOf(name: string, value: Value): string {
  return elementText(name, value).slice(name.length + 2);
}
