/**
 * `$geoNear`: rows with their distance from a point, the nearest first. It is written as `$match`, `$addFields` and `$sort`; so
 * is the order of a find by `$near`. That an index of places is there is checked when it is planned (near_index.ts).
 */
import { CommandError } from "../../base/mod.ts";
import { BuiltDocument, Document, isArray, isNumber, type Value } from "../../bson/mod.ts";
import { distanceExpression, placeExpression } from "../expression/distance.ts";
import type { Expression, ParseContext } from "../expression/expression.ts";
import { parseFieldPath } from "../expression/field_path.ts";
import { typeName } from "../expression/message.ts";
import { asDouble } from "../expression/number.ts";
import { allOf, type Filter, type NearFilter } from "../filter/filter.ts";
import { nearOf } from "../filter/near.ts";
import { parseFilter } from "../filter/parse.ts";
import { checkedVector, GeometryError, readGeoJson, readPair } from "../geo/geometry.ts";
import type { NearRange } from "../geo/near.ts";
import { ProjectionTree } from "../projection/tree.ts";
import type { MatchStage } from "./match.ts";
import type { ProjectStage } from "./project.ts";
import type { SortStage } from "./sort.ts";

type NearStages = readonly (MatchStage | ProjectStage | SortStage)[];

/** A field that no document has: names of fields do not begin so. */
const HIDDEN_DISTANCE = "$distance";

/** Puts the rows of a find in order of their distance. */
export function orderByDistance({ path, near }: NearFilter): NearStages {
  const tree = new Map(
    [[HIDDEN_DISTANCE, { kind: "computed", expression: distanceExpression(path, near, 1) }]] as const,
  );
  const source = BuiltDocument.EMPTY;
  return [
    { kind: "project", name: "$addFields", mode: "addition", root: tree, arrays: [], source },
    { kind: "sort", parts: [{ path: [HIDDEN_DISTANCE], descending: false }], limit: undefined },
    {
      kind: "project",
      name: "$unset",
      mode: "exclusion",
      root: new Map([[HIDDEN_DISTANCE, { kind: "named" }]]),
      arrays: [],
      source,
    },
  ];
}

const OLD_PARAMETERS: readonly (readonly [string, number, string])[] = [
  ["limit", 50858, "parameter. Use a $limit stage instead."],
  ["num", 50857, "parameter. Use a $limit stage instead."],
  ["start", 50856, "argument."],
];

export function parseGeoNear(value: Value, context: ParseContext): NearStages {
  if (!(value instanceof Document)) {
    throw new CommandError(10065, "invalid parameter: expected an object ($geoNear)");
  }
  checkOldParameters(value);
  const filter = parseQuery(value.get("query"), context);
  const distanceField = parseDistanceField(value);
  const near = parseNearArgument(value);
  const path = parseKey(value.get("key"));
  const factor = bound(value, "distanceMultiplier") ?? 1;
  const fields: [readonly string[], Expression][] = [[distanceField, distanceExpression(path, near, factor)]];
  const locations = value.get("includeLocs");
  if (typeof locations === "string") fields.push([parseFieldPath(locations), placeExpression(path, near)]);
  const within: Filter = { kind: "near", path, operator: "$near", near, source: value };
  const tree = new ProjectionTree();
  for (const [field, expression] of fields) tree.add(field.join("."), { kind: "computed", expression });
  return [
    { kind: "match", filter: allOf([filter, within]), source: value },
    { kind: "project", name: "$geoNear", mode: "addition", root: tree.node, arrays: [], source: value },
    { kind: "sort", parts: [{ path: distanceField, descending: false }], limit: undefined },
  ];
}

function checkOldParameters(spec: Document): void {
  const old = OLD_PARAMETERS.find(([name]) => spec.has(name));
  if (old === undefined) return;
  const [name, code, instead] = old;
  throw new CommandError(code, `$geoNear no longer supports the '${name}' ${instead}`);
}

function parseQuery(value: Value, context: ParseContext): Filter {
  if (value === undefined) return allOf([]);
  if (!(value instanceof Document)) throw new CommandError("TypeMismatch", "query must be an object");
  const filter = parseFilter(value, context);
  if (nearOf(filter) === undefined) return filter;
  throw new CommandError("BadValue", "Too many geoNear expressions");
}

function parseDistanceField(spec: Document): readonly string[] {
  if (!spec.has("near")) throw new CommandError(5860400, "$geoNear requires a 'near' argument");
  const value = spec.get("distanceField");
  if (typeof value === "string") return parseFieldPath(value);
  throw new CommandError(16606, "$geoNear requires a 'distanceField' option as a String");
}

function parseNearArgument(spec: Document): NearRange {
  const value = spec.get("near");
  if (!isArray(value) && !(value instanceof Document)) {
    throw new CommandError(
      5860401,
      "$geoNear requires near argument to be a GeoJSON object or a legacy point(array)",
    );
  }
  const range = { least: bound(spec, "minDistance") ?? 0, greatest: bound(spec, "maxDistance") ?? Infinity };
  try {
    const isGeoJson = value instanceof Document && value.has("type");
    const center = (isGeoJson ? readGeoJson(value).position : undefined) ?? readPair(value);
    if (isGeoJson || spec.get("spherical") === true) checkedVector(center);
    const unit = isGeoJson ? "metres" : spec.get("spherical") === true ? "radians" : "flat";
    return { center, unit, ...range };
  } catch (error) {
    throw error instanceof GeometryError ? new CommandError("BadValue", error.message) : error;
  }
}

function bound(spec: Document, name: string): number | undefined {
  const value = spec.get(name);
  if (value === undefined) return undefined;
  if (!isNumber(value)) throw new CommandError("TypeMismatch", `${name} must be a number`);
  if (!(asDouble(value) >= 0)) throw new CommandError("BadValue", `${name} must be nonnegative`);
  return asDouble(value);
}

function parseKey(value: Value): readonly string[] {
  if (value === "") throw new CommandError("BadValue", "$geoNear parameter 'key' cannot be the empty string");
  if (typeof value === "string") return parseFieldPath(value);
  if (value !== undefined) {
    throw new CommandError(
      "TypeMismatch",
      `$geoNear parameter 'key' must be of type string but found type: ${typeName(value)}`,
    );
  }
  throw new CommandError(
    "IndexNotFound",
    "$geoNear requires a 2d or 2dsphere index, but none were found",
  );
}
