/** How far places are from a point: on the Earth in metres or radians, or in the plane. */
import { isArray, type Value } from "../../bson/mod.ts";
import { type Geometry, type Position, storedGeometry } from "./geometry.ts";
import { angleTo } from "./relation.ts";
import { vectorOf } from "./sphere.ts";

/** MongoDB's Earth, a sphere, in metres. */
const EARTH_RADIUS = 6378100;

/** `metres` and `radians` on the sphere, `flat` in the plane, of points only. */
export type DistanceUnit = "metres" | "radians" | "flat";

export interface Near {
  readonly center: Position;
  readonly unit: DistanceUnit;
}

export interface NearRange extends Near {
  /** Both ends included, in the unit. */
  readonly least: number;
  readonly greatest: number;
}

/** The place that a value holds, or of the places in an array the nearest. */
export interface FoundPlace {
  readonly place: Value;
  readonly distance: number;
}

/** How far a value's place is; undefined for what is no place. */
export function nearestPlace(near: Near, value: Value): FoundPlace | undefined {
  const geometry = storedGeometry(value);
  if (geometry !== undefined) {
    const distance = distanceTo(near, geometry);
    return distance === undefined ? undefined : { place: value, distance };
  }
  if (!isArray(value)) return undefined;
  let nearest: FoundPlace | undefined;
  for (const element of value) {
    const found = isArray(element) || typeof element === "object" ? nearestPlace(near, element) : undefined;
    if (found !== undefined && !(nearest !== undefined && nearest.distance <= found.distance)) {
      nearest = found;
    }
  }
  return nearest;
}

function distanceTo({ center, unit }: Near, geometry: Geometry): number | undefined {
  if (unit === "flat") {
    const { position } = geometry;
    return position && Math.hypot(position.x - center.x, position.y - center.y);
  }
  const radians = angleTo(geometry, vectorOf(center.x, center.y));
  return unit === "radians" ? radians : radians * EARTH_RADIUS;
}
