/** Areas in the plane, for pairs of coordinates that are no places on the Earth. Edges of boxes and circles belong to them. */
import type { Position } from "./geometry.ts";

export function boxContains(a: Position, b: Position, point: Position): boolean {
  return isBetween(a.x, point.x, b.x) && isBetween(a.y, point.y, b.y);
}

function isBetween(a: number, x: number, b: number): boolean {
  return x >= Math.min(a, b) && x <= Math.max(a, b);
}

export function circleContains(center: Position, radius: number, { x, y }: Position): boolean {
  return Math.hypot(x - center.x, y - center.y) <= radius;
}

/**
 * By the number of edges that a ray to the right crosses (M. Shimrat, "Algorithm 112", CACM 1962). Corners and edges along an
 * axis belong to the area; a point on a slanted edge belongs to the area on the left of the edge only, as in MongoDB.
 */
export function polygonContains(corners: readonly Position[], point: Position): boolean {
  let isInside = false;
  for (let i = 0, j = corners.length - 1; i < corners.length; j = i++) {
    const a = corners[i]!;
    const b = corners[j]!;
    const isAlongAxis = a.x === b.x || a.y === b.y;
    if (isAlongAxis && boxContains(a, b, point)) return true;
    if (point.x === a.x && point.y === a.y) return true;
    if (point.y <= Math.min(a.y, b.y) || point.y > Math.max(a.y, b.y)) continue;
    if (point.x <= a.x + (point.y - a.y) * (b.x - a.x) / (b.y - a.y)) isInside = !isInside;
  }
  return isInside;
}
