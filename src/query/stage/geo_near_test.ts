/** What MongoDB 6.0.5 answers with an index of places; here no index is needed. */
import { deepStrictEqual, ok, throws } from "node:assert/strict";
import { CommandError } from "../../base/mod.ts";
import { ArraySource } from "../array_source.ts";
import { execute } from "../execute.ts";
import { parseFind, parsePipeline } from "../parse.ts";
import { collectRows } from "../rows.ts";
import { aggregate, documentOf, plainOf, type PlainRecord, testContext } from "../test_collection.ts";

const point = (x: number, y: number) => ({ type: "Point", coordinates: [x, y] });
const PLACES = new ArraySource([
  { _id: 1, a: [5, 5], c: 1 },
  { _id: 3, a: point(6, 5), c: 2 },
  { _id: 4, a: { type: "LineString", coordinates: [[1, 1], [2, 2.5]] }, c: 1 },
  { _id: 6, a: { type: "Polygon", coordinates: [[[1, 1], [3, 1], [3, 2], [1, 1]]] }, c: 1 },
  { _id: 8, c: 1 },
].map(documentOf));
const PAIRS = new ArraySource([
  { _id: 1, a: [5, 5] },
  { _id: 2, a: { x: 1, y: 2 } },
  { _id: 3, a: [[10, 10], [3, 3]] },
].map(documentOf));
const CENTER = { $geometry: point(4, 4) };

async function found(source: ArraySource, filter: PlainRecord, sort?: PlainRecord): Promise<unknown[]> {
  const spec = { filter: documentOf(filter), sort: sort && documentOf(sort) };
  const rows = await collectRows(execute(parseFind(spec), source, testContext()));
  return rows.map((row) => plainOf(row.get("_id")));
}

Deno.test("$near gives places from the nearest to the farthest, within bounds", async () => {
  deepStrictEqual(await found(PLACES, { a: { $near: CENTER }, c: 1 }), [1, 6, 4]);
  deepStrictEqual(await found(PLACES, { a: { $near: CENTER } }, { _id: 1 }), [1, 3, 4, 6]);
  deepStrictEqual(await found(PLACES, { $and: [{ a: { $near: CENTER } }, { c: 2 }] }), [3]);
  deepStrictEqual(await found(PLACES, { a: { $nearSphere: { ...CENTER, $maxDistance: 270000 } } }), [
    1,
    3,
    6,
  ]);
  deepStrictEqual(await found(PLACES, { a: { $nearSphere: [4, 4], $maxDistance: 0.04 } }), [1, 3, 6]);
  deepStrictEqual(await found(PLACES, { a: { $nearSphere: [4, 4], $minDistance: 0.04 } }), [4]);
  deepStrictEqual(await found(PAIRS, { a: { $near: [4, 4], $maxDistance: 2 } }), [1, 3]);
  deepStrictEqual(await found(PAIRS, { a: { $near: [4, 4, 1] } }), []);
});

Deno.test("the order of a find leaves no field behind", async () => {
  const spec = { filter: documentOf({ a: { $near: [4, 4] } }) };
  const rows = await collectRows(execute(parseFind(spec), PAIRS, testContext()));
  deepStrictEqual(rows.map((row) => row.names()), [["_id", "a"], ["_id", "a"], ["_id", "a"]]);
});

Deno.test("$geoNear sets the distance, and the place that it is of", async () => {
  const stage = { near: point(4, 4), distanceField: "d.e", key: "a", query: { c: 1 } };
  const rows = await aggregate(PLACES, [{ $geoNear: stage }]) as { _id: number; d: { e: number } }[];
  deepStrictEqual(rows.map((row) => row._id), [1, 6, 4]);
  const expected = [157185.1386498229, 248845.77194708784, 278005.58213087777];
  rows.forEach((row, i) => ok(Math.abs(row.d.e - expected[i]!) < 1e-6, `${row.d.e}`));
  const radians = { near: [4, 4], distanceField: "d", key: "a", spherical: true, maxDistance: 0.039 };
  const near = await aggregate(PLACES, [{ $geoNear: radians }]) as { _id: number; d: number }[];
  deepStrictEqual(near.map((row) => row._id), [1, 3]);
  ok(Math.abs(near[0]!.d - 0.024644508341014237) < 1e-14);
  const flat = { near: [4, 4], distanceField: "d", key: "a", includeLocs: "l", distanceMultiplier: 2 };
  deepStrictEqual(await aggregate(PAIRS, [{ $geoNear: flat }, { $project: { a: 0 } }]), [
    { _id: 1, d: 2 * Math.SQRT2, l: [5, 5] },
    { _id: 3, d: 2 * Math.SQRT2, l: [3, 3] },
    { _id: 2, d: 2 * Math.hypot(3, 2), l: { x: 1, y: 2 } },
  ]);
});

Deno.test("what is wrong is said in MongoDB's words", () => {
  const filters: readonly [PlainRecord, number, string][] = [
    [{ a: { $near: 1 } }, 2, "near must be first in: { $near: 1 }"],
    [{ a: { $near: {} } }, 2, "$geometry is required for geo near query"],
    [{ a: { $near: { $foo: 1 } } }, 2, "invalid argument in geo near query: $foo"],
    [{ a: { $near: [4, "x"] } }, 2, "invalid argument in geo near query: 0"],
    [{ a: { $near: { ...CENTER, $maxDistance: "x" } } }, 2, "$maxDistance must be a number"],
    [{ a: { $near: { ...CENTER, $maxDistance: -1 } } }, 2, "$maxDistance must be non-negative"],
    [
      { a: { $near: { $geometry: point(4, 400) } } },
      2,
      'invalid point in geo near query $geometry argument: { type: "Point", coordinates: [ 4, 400 ] }  ' +
      "longitude/latitude is out of bounds, lng: 4 lat: 400",
    ],
    [
      { a: { $near: { $geometry: { type: "LineString", coordinates: [[1, 2], [3, 4]] } } } },
      2,
      'invalid point in geo near query $geometry argument: { type: "LineString", coordinates: [ [ 1, 2 ], ' +
      "[ 3, 4 ] ] }  Point must only contain numeric elements",
    ],
    [{ a: { $near: CENTER }, b: { $near: [1, 2] } }, 2, "Too many geoNear expressions"],
    [{ $or: [{ a: { $near: CENTER } }, { c: 1 }] }, 2, "geo $near must be top-level expr"],
    [{ a: { $not: { $near: CENTER } } }, 2, "geo $near must be top-level expr"],
  ];
  for (const [filter, code, message] of filters) {
    throws(() => parseFind({ filter: documentOf(filter) }), (error: unknown) => {
      ok(error instanceof CommandError);
      deepStrictEqual([error.code, error.message], [code, message]);
      return true;
    });
  }
  const good = { near: [1, 2], distanceField: "d", key: "a" };
  const stages: readonly [PlainRecord, number, string][] = [
    [{ $geoNear: 1 }, 10065, "invalid parameter: expected an object ($geoNear)"],
    [{ $geoNear: {} }, 5860400, "$geoNear requires a 'near' argument"],
    [{ $geoNear: { near: [1, 2] } }, 16606, "$geoNear requires a 'distanceField' option as a String"],
    [
      { $geoNear: { ...good, near: 1 } },
      5860401,
      "$geoNear requires near argument to be a GeoJSON object or a legacy point(array)",
    ],
    [{ $geoNear: { ...good, maxDistance: "x" } }, 14, "maxDistance must be a number"],
    [{ $geoNear: { ...good, maxDistance: -1 } }, 2, "maxDistance must be nonnegative"],
    [{ $geoNear: { ...good, query: 1 } }, 14, "query must be an object"],
    [
      { $geoNear: { ...good, key: 1 } },
      14,
      "$geoNear parameter 'key' must be of type string but found type: int",
    ],
    [{ $geoNear: { ...good, query: { b: { $near: [1, 2] } } } }, 2, "Too many geoNear expressions"],
    [
      { $geoNear: { near: [1, 2], distanceField: "d" } },
      27,
      "$geoNear requires a 2d or 2dsphere index, but none were found",
    ],
    [
      { $match: { a: { $near: [1, 2] } } },
      5626500,
      "$geoNear, $near, and $nearSphere are not allowed in this context",
    ],
  ];
  for (const [stage, code, message] of stages) {
    throws(() => parsePipeline([documentOf(stage)]), (error: unknown) => {
      ok(error instanceof CommandError);
      deepStrictEqual([error.code, error.message], [code, message]);
      return true;
    });
  }
});
