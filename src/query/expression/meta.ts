/**
 * `$meta`: what MongoDB knows of a row beside its fields. There are no record ids and no scores here, so what may be missing
 * in MongoDB is always missing; what a row was sorted by is known.
 */
import { CommandError } from "../../base/mod.ts";
import type { Value } from "../../bson/mod.ts";
import { KeyedRow, shownSortKey } from "../keyed_row.ts";
import { constant, NO_SCOPE, type OperatorNode, operatorNode } from "./expression.ts";
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

const SORT_KEY = "sortKey";

/** @throws CommandError for what is not there */
export function checkMeta(meta: Value): void {
  if (typeof meta !== "string") throw new CommandError(17307, "$meta only supports string arguments");
  const name = UNAVAILABLE.get(meta);
  if (name !== undefined) {
    throw new CommandError(40218, `query requires ${name} metadata, but it is not available`);
  }
  if (meta !== SORT_KEY && !MISSING.has(meta)) {
    throw new CommandError(17308, `Unsupported argument to $meta: ${meta}`);
  }
}

export const META: readonly OperatorDefinition[] = [{
  name: "$meta",
  parse: (value) => {
    checkMeta(value);
    return operatorNode("$meta", [constant(value)]);
  },
  compile: ({ args }) => {
    if (args[0]!(NO_SCOPE) !== SORT_KEY) return () => undefined;
    return ({ root }) => root instanceof KeyedRow ? shownSortKey(root.sortKey) : undefined;
  },
  unfolded: "itself",
}];

/** Whether `{ $meta: "sortKey" }` is in a plan's node, or below it: an expression, a stage, a list of them. */
export function readsSortKey(node: unknown): boolean {
  if (typeof node !== "object" || node === null) return false;
  if (Array.isArray(node)) return node.some(readsSortKey);
  if (node instanceof Map) return [...node.values()].some(readsSortKey);
  if (Object.getPrototypeOf(node) !== Object.prototype) return false;
  const { name, args } = node as Partial<OperatorNode>;
  if (name === "$meta" && args?.[0]?.kind === "constant" && args[0].value === SORT_KEY) return true;
  for (const field in node) {
    if (readsSortKey((node as Record<string, unknown>)[field])) return true;
  }
  return false;
}
