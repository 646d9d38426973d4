/** How geometries lie to each other on the sphere. */
import type { Geometry, Polygon } from "./geometry.ts";
import {
  angleBetween,
  angleToEdge,
  edgesCross,
  edgesMeet,
  isOnEdge,
  isSamePoint,
  loopContains,
  someEdgeOf,
  type Vector,
} from "./sphere.ts";

/** Whether all of `inner` lies in the polygons of `outer`. A line or an area must lie in one of them. */
export function isWithin(inner: Geometry, outer: Geometry): boolean {
  const inSome = (test: (polygon: Polygon) => boolean) => outer.polygons.some(test);
  return inner.points.every((point) => inSome((polygon) => polygonContains(polygon, point))) &&
    inner.lines.every((line) => inSome((polygon) => lineIsWithin(line, polygon))) &&
    inner.polygons.every((area) => inSome((polygon) => areaIsWithin(area, polygon)));
}

function polygonContains({ outer, holes }: Polygon, point: Vector): boolean {
  return loopContains(outer, point) && !holes.some((hole) => isInside(hole, point));
}

/** Within the loop and not on it: the edge of a hole belongs to the polygon around it. */
function isInside(loop: readonly Vector[], point: Vector): boolean {
  return loopContains(loop, point) && !someEdgeOf(loop, (a, b) => isOnEdge(point, a, b));
}

function lineIsWithin(line: readonly Vector[], polygon: Polygon): boolean {
  return line.every((point) => polygonContains(polygon, point)) &&
    !someEdgeOfLine(line, (a, b) => crossesBoundary(polygon, a, b));
}

function areaIsWithin(area: Polygon, polygon: Polygon): boolean {
  return area.outer.every((point) => polygonContains(polygon, point)) &&
    !someEdgeOf(area.outer, (a, b) => crossesBoundary(polygon, a, b)) &&
    // A hole of the polygon must lie in one of the area's.
    polygon.holes.every((hole) => !isInside(area.outer, hole[0]!) || isHoleOf(area, hole));
}

function isHoleOf(area: Polygon, hole: readonly Vector[]): boolean {
  return area.holes.some((own) => hole.every((point) => loopContains(own, point)));
}

function crossesBoundary({ outer, holes }: Polygon, a: Vector, b: Vector): boolean {
  return [outer, ...holes].some((loop) => someEdgeOf(loop, (c, d) => edgesCross(a, b, c, d)));
}

function someEdgeOfLine(line: readonly Vector[], test: (a: Vector, b: Vector) => boolean): boolean {
  return line.some((a, i) => i + 1 < line.length && test(a, line[i + 1]!));
}

/** Whether two geometries have a point in common. */
export function intersect(a: Geometry, b: Geometry): boolean {
  return a.points.some((point) => pointIntersects(point, b)) ||
    b.points.some((point) => pointIntersects(point, a)) ||
    a.lines.some((line) => lineIntersects(line, b)) ||
    b.lines.some((line) => line.some((point) => inSomePolygon(a, point))) ||
    a.polygons.some((area) => areaIntersects(area, b));
}

function pointIntersects(point: Vector, other: Geometry): boolean {
  return other.points.some((each) => isSamePoint(each, point)) ||
    other.lines.some((line) => someEdgeOfLine(line, (a, b) => isOnEdge(point, a, b))) ||
    inSomePolygon(other, point);
}

function inSomePolygon({ polygons }: Geometry, point: Vector): boolean {
  return polygons.some((polygon) => polygonContains(polygon, point));
}

function lineIntersects(line: readonly Vector[], other: Geometry): boolean {
  return line.some((point) => inSomePolygon(other, point)) ||
    someEdgeOfLine(line, (a, b) => meetsSomeEdge(other, a, b));
}

function areaIntersects(area: Polygon, other: Geometry): boolean {
  return [area.outer, ...area.holes].some((loop) => someEdgeOf(loop, (a, b) => meetsSomeEdge(other, a, b))) ||
    inSomePolygon(other, area.outer[0]!) ||
    other.polygons.some((polygon) => polygonContains(area, polygon.outer[0]!));
}

/** Whether an edge meets a line of a geometry or the boundary of an area in it. */
function meetsSomeEdge({ lines, polygons }: Geometry, a: Vector, b: Vector): boolean {
  return lines.some((line) => someEdgeOfLine(line, (c, d) => edgesMeet(a, b, c, d))) ||
    polygons.some(({ outer, holes }) =>
      [outer, ...holes].some((loop) => someEdgeOf(loop, (c, d) => edgesMeet(a, b, c, d)))
    );
}

/** Whether all of a geometry lies within an angle of a point, in radians. */
export function isWithinAngle(geometry: Geometry, center: Vector, radians: number): boolean {
  const isNear = (point: Vector) => angleBetween(point, center) <= radians;
  return geometry.points.every(isNear) && geometry.lines.every((line) => line.every(isNear)) &&
    geometry.polygons.every(({ outer }) => outer.every(isNear));
}

/** The least angle between a point and a geometry, in radians. */
export function angleTo(geometry: Geometry, point: Vector): number {
  if (inSomePolygon(geometry, point)) return 0;
  let least = Infinity;
  const take = (angle: number) => {
    if (angle < least) least = angle;
    return false;
  };
  geometry.points.forEach((each) => take(angleBetween(each, point)));
  geometry.lines.forEach((line) => someEdgeOfLine(line, (a, b) => take(angleToEdge(point, a, b))));
  for (const { outer, holes } of geometry.polygons) {
    [outer, ...holes].forEach((loop) => someEdgeOf(loop, (a, b) => take(angleToEdge(point, a, b))));
  }
  return least;
}
