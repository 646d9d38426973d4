/**
 * `$near` and `$nearSphere` of find: places within a range of distance, the nearest first. An index of places must be there
 * (near_index.ts), and all rows that pass the other conditions are looked at.
 */
import { CommandError } from "../../base/mod.ts";
import { Document, isArray, isNumber, type Value } from "../../bson/mod.ts";
import { renderElement } from "../expression/message.ts";
import { asDouble } from "../expression/number.ts";
import { checkedVector, GeometryError, type Position, readGeoJson, readPair } from "../geo/geometry.ts";
import { type DistanceUnit, nearestPlace } from "../geo/near.ts";
import type { Filter, NearFilter, Path } from "./filter.ts";
import type { ValueTest } from "./path.ts";

const BOUNDS = ["$minDistance", "$maxDistance"];

/** Whether an operator stands beside another one and is read with it. */
export function isDistanceBound(name: string): boolean {
  return BOUNDS.includes(name);
}

/**
 * @param operator `$near` or `$nearSphere`
 * @param siblings the operators of the field, which hold the bounds of a legacy pair
 */
export function parseNear(path: Path, operator: string, value: Value, siblings: Document): Filter {
  const isGeoJson = value instanceof Document;
  if (!isGeoJson && !isArray(value)) {
    throw bad(`near must be first in: ${renderElement(siblings)}`);
  }
  const bounds = isGeoJson ? value : siblings;
  const center = isGeoJson ? readGeometry(value) : readLegacy(value);
  const unit: DistanceUnit = isGeoJson ? "metres" : operator === "$nearSphere" ? "radians" : "flat";
  const least = readBound(bounds, "$minDistance") ?? 0;
  // A legacy pair may be followed by the greatest distance.
  const third = isArray(value) ? value[2] : undefined;
  const greatest = readBound(bounds, "$maxDistance") ?? (isNumber(third) ? asDouble(third) : Infinity);
  return { kind: "near", path, operator, near: { center, unit, least, greatest }, source: value };
}

function readGeometry(value: Document): Position {
  for (const name of value.names()) {
    if (name !== "$geometry" && !isDistanceBound(name)) {
      throw bad(`invalid argument in geo near query: ${name}`);
    }
  }
  const geometry = value.get("$geometry");
  if (geometry === undefined) throw bad("$geometry is required for geo near query");
  try {
    if (!(geometry instanceof Document)) return checked(readPair(geometry));
    if (geometry.get("type") !== "Point") readPair(undefined);
    return checked(readGeoJson(geometry).position ?? readPair(undefined));
  } catch (error) {
    if (!(error instanceof GeometryError)) throw error;
    const reason = geometry instanceof Document && geometry.get("type") !== "Point"
      ? "Point must only contain numeric elements"
      : error.message;
    throw bad(`invalid point in geo near query $geometry argument: ${renderElement(geometry)}  ${reason}`);
  }
}

function readLegacy(value: readonly Value[]): Position {
  try {
    return readPair(value);
  } catch (error) {
    throw error instanceof GeometryError ? bad("invalid argument in geo near query: 0") : error;
  }
}

function checked(position: Position): Position {
  checkedVector(position);
  return position;
}

function readBound(document: Document, name: string): number | undefined {
  const value = document.get(name);
  if (value === undefined) return undefined;
  if (!isNumber(value)) throw bad(`${name} must be a number`);
  if (!(asDouble(value) >= 0)) throw bad(`${name} must be non-negative`);
  return asDouble(value);
}

function bad(message: string): CommandError {
  return new CommandError("BadValue", message);
}

/** The question that a filter asks of one value. */
export function nearTest({ near }: NearFilter): ValueTest {
  return (value) => {
    const found = nearestPlace(near, value);
    return found !== undefined && found.distance >= near.least && found.distance <= near.greatest;
  };
}

/**
 * The `$near` of a filter, if it has one.
 *
 * @throws CommandError BadValue when there are two, or one that does not hold for all that is found
 */
export function nearOf(filter: Filter): NearFilter | undefined {
  const found = nearsOf(filter);
  if (found.length > 1) throw bad("Too many geoNear expressions");
  return found[0];
}

function nearsOf(filter: Filter): readonly NearFilter[] {
  switch (filter.kind) {
    case "near":
      return [filter];
    case "and":
      return filter.filters.flatMap(nearsOf);
    case "or":
    case "nor":
      filter.filters.forEach(checkWithout);
      return [];
    case "not":
      checkWithout(filter.filter);
      return [];
    default:
      return [];
  }
}

function checkWithout(filter: Filter): void {
  if (nearsOf(filter).length > 0) throw bad("geo $near must be top-level expr");
}
