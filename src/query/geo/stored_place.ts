/** Whether what documents hold under a 2dsphere index are places, in MongoDB's words. */
import { CommandError } from "../../base/mod.ts";
import { Document, isArray, type Value } from "../../bson/mod.ts";
import { elementText } from "../element_text.ts";
import { checkedVector, GeometryError, isGeoJson, readGeoJson, readPair } from "./geometry.ts";

/** What is wrong with a document's values at a path; undefined for nothing. Missing and empty ones are fine. */
export function wrongWithPlaces(document: Document, path: readonly string[]): string | undefined {
  return firstWrong(document, path, (name, value) =>
    wrongWithPlace(name, value, (geoJson) => {
      readGeoJson(geoJson);
      return undefined;
    }, wrongWithPair));
}

/** As `wrongWithPlaces`, of a measured field: each is a point. The codes are those of such indexes. */
export function wrongWithMeasuredPlaces(
  document: Document,
  path: readonly string[],
): CommandError | undefined {
  return firstWrong(document, path, (name, value) => {
    // MongoDB's buckets have a column of values, whose names are their places.
    const wrong = wrongWithPlace(
      path.length === 1 ? "0" : name,
      value,
      wrongWithPoint,
      wrongWithMeasuredPair,
    );
    return typeof wrong === "string" ? new CommandError(183934, `Can't extract geo keys: ${wrong}`) : wrong;
  });
}

function firstWrong<Wrong>(
  document: Document,
  path: readonly string[],
  ask: (name: string, value: Value) => Wrong | undefined,
): Wrong | undefined {
  const [name = "", ...below] = path;
  const value = document.get(name);
  if (below.length === 0) return ask(name, value);
  const inner = isArray(value) ? value : [value];
  for (const each of inner) {
    const wrong = each instanceof Document ? firstWrong(each, below, ask) : undefined;
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function wrongWithPlace<Wrong>(
  name: string,
  value: Value,
  wrongWithGeoJson: (value: Document) => Wrong | undefined,
  wrongWithPair: (name: string, value: Value) => Wrong | undefined,
): Wrong | string | undefined {
  if (value === undefined || value === null) return undefined;
  const isList = isArray(value);
  if (!isList && !(value instanceof Document)) {
    return `geo element must be an array or object: ${elementText(name, value)}`;
  }
  if (isList ? value.length === 0 : value.isEmpty()) return undefined;
  try {
    return !isList && isGeoJson(value) ? wrongWithGeoJson(value) : wrongWithPair(name, value);
  } catch (error) {
    if (!(error instanceof GeometryError)) throw error;
    return error.message === UNKNOWN_TYPE ? `${UNKNOWN_TYPE}: ${textOf(name, value)}` : error.message;
  }
}

/** @throws GeometryError for what is no geometry */
function wrongWithPoint(value: Document): CommandError | undefined {
  if (readGeoJson(value).position !== undefined) return undefined;
  return new CommandError(183493, "Time-series collections '2dsphere' indexes only support point data");
}

/** @throws GeometryError for what is no pair of numbers */
function wrongWithMeasuredPair(_name: string, value: Value): CommandError | undefined {
  const error = notOnSphere(value);
  return error && new CommandError(167551, `Can't extract geo keys: ${error.message}`);
}

const UNKNOWN_TYPE = "unknown GeoJSON type";

/** @throws GeometryError for what is no pair of numbers */
function wrongWithPair(name: string, value: Value): string | undefined {
  return notOnSphere(value) && `can't project geometry into spherical CRS: ${textOf(name, value)}`;
}

/** Why a pair of numbers is no place on the sphere; undefined for one. @throws GeometryError for what is no pair */
function notOnSphere(value: Value): GeometryError | undefined {
  const pair = readPair(value);
  try {
    checkedVector(pair);
    return undefined;
  } catch (error) {
    if (!(error instanceof GeometryError)) throw error;
    return error;
  }
}

function textOf(name: string, value: Value): string {
  return elementText(name, value).slice(name.length + 2);
}
