/**
 * Geometry on the unit sphere: points are vectors, edges the shorter arcs of great circles between two of them.
 *
 * Orientation and crossing are the simple predicates of S2 (Google's s2edgeutil, `SimpleCrossing`), in plain doubles: points that
 * lie on an edge to some 10⁻¹⁴ (less than a micrometre on the Earth) count as on it.
 */
export interface Vector {
  readonly x: number;
  readonly y: number;
  readonly z: number;
}

/** What a point may be off an edge and still be on it, in radians. */
const ON_EDGE = 1e-14;
const DEGREE = Math.PI / 180;

export function vectorOf(longitude: number, latitude: number): Vector {
  const lambda = longitude * DEGREE;
  const phi = latitude * DEGREE;
  const radius = Math.cos(phi);
  return { x: radius * Math.cos(lambda), y: radius * Math.sin(lambda), z: Math.sin(phi) };
}

function dot(a: Vector, b: Vector): number {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}

function cross(a: Vector, b: Vector): Vector {
  return { x: a.y * b.z - a.z * b.y, y: a.z * b.x - a.x * b.z, z: a.x * b.y - a.y * b.x };
}

function lengthOf(a: Vector): number {
  return Math.sqrt(dot(a, a));
}

/** The angle between two points, in radians. */
export function angleBetween(a: Vector, b: Vector): number {
  return Math.atan2(lengthOf(cross(a, b)), dot(a, b));
}

export function isSamePoint(a: Vector, b: Vector): boolean {
  return a.x === b.x && a.y === b.y && a.z === b.z;
}

/** Whether the edges ab and cd cross, or touch. */
export function edgesMeet(a: Vector, b: Vector, c: Vector, d: Vector): boolean {
  return simplyCross(a, b, c, d) || edgesTouch(a, b, c, d);
}

/** Whether the edges ab and cd cross in the inside of both. */
export function edgesCross(a: Vector, b: Vector, c: Vector, d: Vector): boolean {
  return simplyCross(a, b, c, d) && !edgesTouch(a, b, c, d);
}

/** Whether an end of one edge lies on the other. */
function edgesTouch(a: Vector, b: Vector, c: Vector, d: Vector): boolean {
  return isOnEdge(a, c, d) || isOnEdge(b, c, d) || isOnEdge(c, a, b) || isOnEdge(d, a, b);
}

function simplyCross(a: Vector, b: Vector, c: Vector, d: Vector): boolean {
  const ab = cross(a, b);
  const acb = -dot(ab, c);
  const bda = dot(ab, d);
  if (acb * bda <= 0) return false;
  const cd = cross(c, d);
  const cbd = -dot(cd, b);
  const dac = dot(cd, a);
  return acb * cbd > 0 && acb * dac > 0;
}

export function isOnEdge(point: Vector, a: Vector, b: Vector): boolean {
  return angleToEdge(point, a, b) <= ON_EDGE;
}

/** The least angle between a point and an edge, in radians. */
export function angleToEdge(point: Vector, a: Vector, b: Vector): number {
  const normal = cross(a, b);
  const length = lengthOf(normal);
  // The foot of the point on the great circle lies on the edge when it is past a and before b.
  if (length > 0 && dot(cross(normal, a), point) > 0 && dot(cross(b, normal), point) > 0) {
    return Math.abs(Math.asin(Math.max(-1, Math.min(1, dot(point, normal) / length))));
  }
  return Math.min(angleBetween(point, a), angleBetween(point, b));
}

/** A closed line of at least three points; the last one is followed by the first. */
export type Loop = readonly Vector[];

/** Calls for every edge of a loop until one says yes. */
export function someEdgeOf(loop: Loop, test: (a: Vector, b: Vector) => boolean): boolean {
  return loop.some((a, i) => test(a, loop[(i + 1) % loop.length]!));
}

/** The loop in the direction in which its smaller side lies on the left. */
export function withSmallerSideLeft(loop: Loop): Loop {
  return leftArea(loop) > 2 * Math.PI ? loop.toReversed() : loop;
}

/** The area to the left of a loop, in steradians: 2π less the sum of its turns (Gauss and Bonnet). */
function leftArea(loop: Loop): number {
  let turns = 0;
  for (let i = 0; i < loop.length; i++) {
    const a = loop[i]!;
    const b = loop[(i + 1) % loop.length]!;
    const c = loop[(i + 2) % loop.length]!;
    const before = cross(a, b);
    const after = cross(b, c);
    const turn = angleBetween(before, after);
    turns += dot(cross(before, after), b) < 0 ? -turn : turn;
  }
  const area = 2 * Math.PI - turns;
  return area < 0 ? area + 4 * Math.PI : area;
}

/** Whether a point lies to the left of a loop, or on it: the loop winds around it once. */
export function loopContains(loop: Loop, point: Vector): boolean {
  if (someEdgeOf(loop, (a, b) => isOnEdge(point, a, b))) return true;
  let winding = 0;
  someEdgeOf(loop, (a, b) => {
    // Directions from the point to both ends, in the plane that touches the sphere there.
    const toA = cross(cross(point, a), point);
    const toB = cross(cross(point, b), point);
    winding += Math.atan2(dot(cross(toA, toB), point), dot(toA, toB));
    return false;
  });
  return winding > Math.PI;
}
