/**
 * `$meta`: what MongoDB knows of a row beside its fields. There are no record ids and no scores here, so what may be missing
 * in MongoDB is always missing.
 */
import { CommandError } from "../../base/mod.ts";
import type { Value } from "../../bson/mod.ts";
import { operatorNode } from "./expression.ts";
import type { OperatorDefinition } from "./operator.ts";

/** Metadata that a query must have asked for, and how errors name it. */
const UNAVAILABLE: ReadonlyMap<Value, string> = new Map([
  ["geoNearDistance", "$geoNear distance"],
  ["geoNearPoint", "$geoNear point"],
  ["textScore", "text score"],
]);
const MISSING: ReadonlySet<Value> = new Set([
  "indexKey",
  "randVal",
  "recordId",
  "searchHighlights",
  "searchScore",
  "searchScoreDetails",
]);

/** @throws CommandError for what is not there */
export function checkMeta(meta: Value): void {
  if (typeof meta !== "string") throw new CommandError(17307, "$meta only supports string arguments");
  const name = UNAVAILABLE.get(meta);
  if (name !== undefined) {
    throw new CommandError(40218, `query requires ${name} metadata, but it is not available`);
  }
  if (meta === "sortKey") {
    throw new CommandError("NotImplemented", '$meta: "sortKey" is not implemented');
  }
  if (!MISSING.has(meta)) throw new CommandError(17308, `Unsupported argument to $meta: ${meta}`);
}

export const META: readonly OperatorDefinition[] = [{
  name: "$meta",
  parse: (value) => {
    checkMeta(value);
    return operatorNode("$meta", []);
  },
  compile: () => () => undefined,
}];
