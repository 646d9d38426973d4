/**
 * Places in documents: GeoJSON (RFC 7946) as MongoDB reads it, and legacy pairs, `[x, y]` or a document whose first two
 * values are numbers. Coordinates are kept flat, as they were written, and on the sphere.
 */
import { Document, isArray, isNumber, type Value } from "../../bson/mod.ts";
import { asDouble } from "../expression/number.ts";
import { type Loop, type Vector, vectorOf, withSmallerSideLeft } from "./sphere.ts";

/** As written: x or longitude, y or latitude. */
export interface Position {
  readonly x: number;
  readonly y: number;
}

/** An area: inside its outer loop and outside its holes, all with their smaller side left. */
export interface Polygon {
  readonly outer: Loop;
  readonly holes: readonly Loop[];
}

export interface Geometry {
  readonly points: readonly Vector[];
  readonly lines: readonly (readonly Vector[])[];
  readonly polygons: readonly Polygon[];
  /** Set for a single point: what planar questions are asked of. */
  readonly position: Position | undefined;
}

const NOTHING: Geometry = { points: [], lines: [], polygons: [], position: undefined };

/** What is wrong with a geometry, in MongoDB's words; thrown by the readers of this file. */
export class GeometryError extends Error {}

/** The geometry that a stored value is; undefined for a value that is none. */
export function storedGeometry(value: Value): Geometry | undefined {
  if (!isArray(value) && !(value instanceof Document)) return undefined;
  try {
    return value instanceof Document && isGeoJson(value)
      ? readGeoJson(value)
      : pointGeometry(readPair(value));
  } catch (error) {
    if (error instanceof GeometryError) return undefined;
    throw error;
  }
}

/** Whether a document is read as GeoJSON, and not as a pair. */
export function isGeoJson(value: Document): boolean {
  return typeof value.get("type") === "string";
}

/** @throws GeometryError */
export function readGeoJson(value: Document): Geometry {
  const type = value.get("type");
  const coordinates = value.get("coordinates");
  checkCrs(value.get("crs"));
  switch (type) {
    case "Point":
      return pointGeometry(readPair(coordinates));
    case "MultiPoint":
      return { ...NOTHING, points: readPoints("MultiPoint", coordinates) };
    case "LineString":
      return { ...NOTHING, lines: [readLine(coordinates)] };
    case "MultiLineString":
      return { ...NOTHING, lines: list("MultiLineString", coordinates).map(readLine) };
    case "Polygon":
      return { ...NOTHING, polygons: [readPolygon(coordinates)] };
    case "MultiPolygon":
      return { ...NOTHING, polygons: list("MultiPolygon", coordinates).map(readPolygon) };
    case "GeometryCollection":
      return readCollection(value.get("geometries"));
    default:
      throw new GeometryError("unknown GeoJSON type");
  }
}

const CRS_NAMES: ReadonlySet<Value> = new Set([
  "urn:ogc:def:crs:OGC:1.3:CRS84",
  "EPSG:4326",
  "urn:x-mongodb:crs:strictwinding:EPSG:4326",
]);

function checkCrs(crs: Value): void {
  if (crs === undefined) return;
  if (!(crs instanceof Document)) throw new GeometryError("GeoJSON CRS must be an object");
  const properties = crs.get("properties");
  const name = properties instanceof Document ? properties.get("name") : undefined;
  if (typeof name !== "string") throw new GeometryError('In CRS, "properties.name" must be a string');
  if (!CRS_NAMES.has(name)) throw new GeometryError(`Unknown CRS name: ${name}`);
}

function pointGeometry(position: Position): Geometry {
  return { ...NOTHING, points: [checkedVector(position)], position };
}

/** Reads `[x, y]` or `{any: x, other: y}`; what follows is left aside. @throws GeometryError */
export function readPair(value: Value): Position {
  if (!isArray(value) && !(value instanceof Document)) {
    throw new GeometryError("Point must be an array or object");
  }
  const [x, y] = isArray(value) ? value : value.values();
  if (!isNumber(x) || !isNumber(y)) throw new GeometryError("Point must only contain numeric elements");
  return { x: asDouble(x), y: asDouble(y) };
}

/** A position as a place on the sphere. @throws GeometryError when it lies beyond */
export function checkedVector({ x, y }: Position): Vector {
  if (Math.abs(x) <= 180 && Math.abs(y) <= 90) return vectorOf(x, y);
  throw new GeometryError(`longitude/latitude is out of bounds, lng: ${x} lat: ${y}`);
}

function readPoints(type: string, value: Value): readonly Vector[] {
  if (!isArray(value)) throw new GeometryError("GeoJSON coordinates must be an array of coordinates");
  return list(type, value).map(readVector);
}

function readVector(value: Value): Vector {
  return checkedVector(readPair(value));
}

function list(type: string, value: Value): readonly Value[] {
  if (!isArray(value)) throw new GeometryError(`${type} coordinates must be an array`);
  if (value.length === 0) throw new GeometryError(`${type} coordinates must have at least 1 element`);
  return value;
}

function readLine(value: Value): readonly Vector[] {
  const points = withoutRepeats(readPoints("LineString", value));
  if (points.length < 2) throw new GeometryError("GeoJSON LineString must have at least 2 vertices");
  return points;
}

function readPolygon(value: Value): Polygon {
  if (!isArray(value)) throw new GeometryError("Polygon coordinates must be an array");
  const [outer, ...holes] = value.map(readLoop);
  if (outer === undefined) throw new GeometryError("Polygon has no loops.");
  return { outer, holes };
}

function readLoop(value: Value): Loop {
  const points = withoutRepeats(readPoints("Polygon", value));
  const last = points[points.length - 1];
  if (last === undefined || !isSame(points[0]!, last)) throw new GeometryError("Loop is not closed");
  const loop = points.slice(0, -1);
  if (loop.length < 3) throw new GeometryError("Loop must have at least 3 different vertices");
  return withSmallerSideLeft(loop);
}

function withoutRepeats(points: readonly Vector[]): readonly Vector[] {
  return points.filter((point, i) => i === 0 || !isSame(points[i - 1]!, point));
}

function isSame(a: Vector, b: Vector): boolean {
  return a.x === b.x && a.y === b.y && a.z === b.z;
}

function readCollection(value: Value): Geometry {
  if (!isArray(value)) throw new GeometryError("GeometryCollection geometries must be an array");
  if (value.length === 0) {
    throw new GeometryError("GeometryCollection geometries must have at least 1 element");
  }
  const parts = value.map((part) => {
    if (part instanceof Document) return readGeoJson(part);
    throw new GeometryError('Element of "geometries" is not an object');
  });
  return {
    points: parts.flatMap((part) => part.points),
    lines: parts.flatMap((part) => part.lines),
    polygons: parts.flatMap((part) => part.polygons),
    position: undefined,
  };
}
