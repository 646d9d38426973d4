/** What `$geoWithin` and `$geoIntersects` may ask about: shapes on the sphere, and in the plane. */
import type { Geometry, Position } from "./geometry.ts";
import type { Vector } from "./sphere.ts";

export type GeoShape =
  | { readonly kind: "geometry"; readonly geometry: Geometry }
  | { readonly kind: "cap"; readonly center: Vector; readonly radians: number }
  | { readonly kind: "box"; readonly a: Position; readonly b: Position }
  | { readonly kind: "circle"; readonly center: Position; readonly radius: number }
  | { readonly kind: "polygon"; readonly corners: readonly Position[] };
