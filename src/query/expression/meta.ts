/**
 * `$meta`: what MongoDB knows of a row beside its fields. There are no scores here, so what may be missing in MongoDB is always
 * missing; what a row was sorted by is known, and a find has its rows show their places and keys as fields.
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
  "randVal",
  "searchHighlights",
  "searchScore",
  "searchScoreDetails",
]);

const SORT_KEY = "sortKey";

/** The fields by which rows show it; no document has one of its own of such a name. */
export const SHOWN_METADATA = { recordId: "$place", indexKey: "$indexKey" } as const;
export type ShownMetadata = keyof typeof SHOWN_METADATA;

/** @throws CommandError for what is not there */
export function checkMeta(meta: Value): void {
  if (typeof meta !== "string") throw new CommandError(17307, "$meta only supports string arguments");
  const name = UNAVAILABLE.get(meta);
  if (name !== undefined) {
    throw new CommandError(40218, `query requires ${name} metadata, but it is not available`);
  }
  if (meta !== SORT_KEY && !MISSING.has(meta) && !isShown(meta)) {
    throw new CommandError(17308, `Unsupported argument to $meta: ${meta}`);
  }
}

function isShown(meta: Value): meta is ShownMetadata {
  return typeof meta === "string" && Object.hasOwn(SHOWN_METADATA, meta);
}

export const META: readonly OperatorDefinition[] = [{
  name: "$meta",
  parse: (value) => {
    checkMeta(value);
    const field = isShown(value)
      ? [{ kind: "path", variable: "ROOT", path: [SHOWN_METADATA[value]] } as const]
      : [];
    return operatorNode("$meta", [constant(value), ...field]);
  },
  compile: ({ args }) => {
    if (args[1] !== undefined) return args[1];
    if (args[0]!(NO_SCOPE) !== SORT_KEY) return () => undefined;
    return ({ root }) => root instanceof KeyedRow ? shownSortKey(root.sortKey) : undefined;
  },
  unfolded: "itself",
}];

/** Whether `{ $meta: "sortKey" }` is in a plan's node, or below it: an expression, a stage, a list of them. */
export function readsSortKey(node: unknown): boolean {
  return readsMetadata(node, SORT_KEY);
}

/** As `readsSortKey`, of other metadata. */
export function readsMetadata(node: unknown, meta: ShownMetadata | typeof SORT_KEY): boolean {
  if (typeof node !== "object" || node === null) return false;
  if (Array.isArray(node)) return node.some((each) => readsMetadata(each, meta));
  if (node instanceof Map) return [...node.values()].some((each) => readsMetadata(each, meta));
  if (Object.getPrototypeOf(node) !== Object.prototype) return false;
  const { name, args } = node as Partial<OperatorNode>;
  if (name === "$meta" && args?.[0]?.kind === "constant" && args[0].value === meta) return true;
  for (const field in node) {
    if (readsMetadata((node as Record<string, unknown>)[field], meta)) return true;
  }
  return false;
}
