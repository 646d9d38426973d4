/**
 * `$geoWithin` and `$geoIntersects`: questions about places. A shape of `$geometry` and `$centerSphere` lies on the sphere; `$box`,
 * `$polygon` and `$center` lie in the plane and are asked of points only.
 */
import { CommandError } from "../../base/mod.ts";
import { Document, isArray, isNumber, type Value } from "../../bson/mod.ts";
import { elementText } from "../element_text.ts";
import { renderElement } from "../expression/message.ts";
import { asDouble } from "../expression/number.ts";
import { boxContains, circleContains, polygonContains } from "../geo/flat.ts";
import {
  checkedVector,
  type Geometry,
  GeometryError,
  type Position,
  readGeoJson,
  readPair,
  storedGeometry,
} from "../geo/geometry.ts";
import { intersect, isWithin, isWithinAngle } from "../geo/relation.ts";
import type { GeoShape } from "../geo/shape.ts";
import type { Filter, GeoFilter, Path } from "./filter.ts";
import type { ValueTest } from "./path.ts";

/** Old and new names of the operators. */
const OPERATORS: Readonly<Record<string, "$geoWithin" | "$geoIntersects">> = {
  $geoIntersects: "$geoIntersects",
  $geoWithin: "$geoWithin",
  $within: "$geoWithin",
};

/** @throws CommandError BadValue */
export function parseGeo(path: Path, name: string, value: Value): Filter {
  const operator = OPERATORS[name]!;
  if (!(value instanceof Document)) throw bad("geometry must be an object");
  const shape = parseShape(value);
  if (operator === "$geoWithin" && shape.kind === "geometry" && shape.geometry.polygons.length === 0) {
    throw unsupported("$within", name, value);
  }
  if (operator === "$geoIntersects" && shape.kind !== "geometry") {
    throw unsupported("$geoIntersect", name, value);
  }
  return { kind: "geo", path, operator, shape, source: value };
}

function unsupported(question: string, name: string, value: Value): CommandError {
  return bad(`${question} not supported with provided geometry: { ${name}: ${renderElement(value)} }`);
}

function parseShape(value: Document): GeoShape {
  let shape: GeoShape | undefined;
  const values = value.values();
  value.names().forEach((name, i) => shape = parseSpecifier(name, values[i]));
  if (shape === undefined) throw bad("geo query doesn't have any geometry");
  return shape;
}

function parseSpecifier(name: string, value: Value): GeoShape {
  if (!isArray(value) && !(value instanceof Document)) throw unknown(name, value);
  try {
    const parts = isArray(value) ? value : value.values();
    switch (name) {
      case "$geometry":
        return { kind: "geometry", geometry: readGeometry(value) };
      case "$box":
        return { kind: "box", a: readPair(parts[0]), b: readPair(parts[1]) };
      case "$center":
        return { kind: "circle", center: readPair(parts[0]), radius: radiusOf(parts) };
      case "$centerSphere":
        return { kind: "cap", center: checkedVector(readPair(parts[0])), radians: radiusOf(parts) };
      case "$polygon":
        return { kind: "polygon", corners: readCorners(parts) };
      default:
        throw unknown(name, value);
    }
  } catch (error) {
    throw error instanceof GeometryError ? bad(worded(error, value)) : error;
  }
}

/** Errors about a shape as a whole show it. */
function worded(error: GeometryError, value: Document | readonly Value[]): string {
  const { message } = error;
  if (message === "unknown GeoJSON type") return `${message}: ${renderElement(value)}`;
  if (!(value instanceof Document)) return message;
  const coordinates = value.get("coordinates");
  if (message.startsWith("GeoJSON LineString must")) return `${message}: ${renderElement(coordinates)}`;
  if (!message.startsWith("Loop ") || !isArray(coordinates)) return message;
  return `${message}: ${renderElement(coordinates[0])}`;
}

function readGeometry(value: Document | readonly Value[]): Geometry {
  if (value instanceof Document) return readGeoJson(value);
  const position = readPair(value);
  return { points: [checkedVector(position)], lines: [], polygons: [], position };
}

function readCorners(parts: readonly Value[]): readonly Position[] {
  const corners = parts.map(readPair);
  if (corners.length < 3) throw new GeometryError("Polygon must have at least 3 points");
  return corners;
}

function radiusOf(parts: readonly Value[]): number {
  const radius = parts[1];
  if (!isNumber(radius) || !(asDouble(radius) >= 0)) {
    throw new GeometryError("radius must be a non-negative number");
  }
  if (parts.length > 2) throw new GeometryError("Only 2 fields allowed for circular region");
  return asDouble(radius);
}

function unknown(name: string, value: Value): CommandError {
  return bad(`unknown geo specifier: ${elementText(name, value)}`);
}

function bad(message: string): CommandError {
  return new CommandError("BadValue", message);
}

/** The question that a filter asks of one value. */
export function geoTest({ operator, shape }: GeoFilter): ValueTest {
  const test = operator === "$geoIntersects" ? intersectionTest(shape) : withinTest(shape);
  return (value) => {
    const geometry = storedGeometry(value);
    return geometry !== undefined && test(geometry);
  };
}

function intersectionTest(shape: GeoShape): (geometry: Geometry) => boolean {
  if (shape.kind !== "geometry") return () => false;
  return (geometry) => intersect(geometry, shape.geometry);
}

function withinTest(shape: GeoShape): (geometry: Geometry) => boolean {
  switch (shape.kind) {
    case "geometry":
      return (geometry) => isWithin(geometry, shape.geometry);
    case "cap":
      return (geometry) => isWithinAngle(geometry, shape.center, shape.radians);
    case "box":
      return ofPoint((position) => boxContains(shape.a, shape.b, position));
    case "circle":
      return ofPoint((position) => circleContains(shape.center, shape.radius, position));
    case "polygon":
      return ofPoint((position) => polygonContains(shape.corners, position));
  }
}

function ofPoint(test: (position: Position) => boolean): (geometry: Geometry) => boolean {
  return ({ position }) => position !== undefined && test(position);
}
