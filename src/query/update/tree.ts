/**
 * The modifiers of an update as one tree of fields. Its leaves are operations; the nodes above them say where these apply.
 * That no two paths touch each other is found out while it grows, but for `$` and `$[…]`: what these stand for is known
 * only when the update is applied, so nodes can be merged then as well.
 */
import { CommandError } from "../../base/mod.ts";
import type { Operation } from "./operation.ts";
import { arrayIdentifier } from "./path.ts";

export interface LeafNode {
  readonly kind: "leaf";
  readonly operation: Operation;
  /** Whether it is an error that the path cannot exist, although nothing would be made there. */
  readonly isStrict: boolean;
}

/** Operations on fields of a document, or on elements of an array by their place. */
export interface FieldsNode {
  readonly kind: "fields";
  /** In the order in which fields are changed and made. */
  readonly children: ReadonlyMap<string, UpdateNode>;
  /** What happens to the element that the filter found, `$`. */
  readonly positional: UpdateNode | undefined;
}

/** Operations on elements of an array by the names of array filters; the empty name is that of all elements. */
export interface ElementsNode {
  readonly kind: "elements";
  readonly children: ReadonlyMap<string, UpdateNode>;
}

export type UpdateNode = LeafNode | FieldsNode | ElementsNode;

export const EMPTY_TREE: FieldsNode = { kind: "fields", children: new Map(), positional: undefined };

/** The node that an operation at the end of a path is. */
export function nodeOf(path: readonly string[], operation: Operation, isStrict: boolean): UpdateNode {
  return path.reduceRight<UpdateNode>(
    (child, part) => {
      const identifier = arrayIdentifier(part);
      if (identifier !== undefined) return { kind: "elements", children: new Map([[identifier, child]]) };
      if (part === "$") return { kind: "fields", children: new Map(), positional: child };
      return { kind: "fields", children: new Map([[part, child]]), positional: undefined };
    },
    { kind: "leaf", operation, isStrict },
  );
}

/**
 * Joins two nodes that apply to one place.
 *
 * @param place the path of that place
 * @param whole the path that is being added, for the error; undefined for a conflict found while applying
 * @throws CommandError ConflictingUpdateOperators
 */
export function mergeNodes(
  a: UpdateNode,
  b: UpdateNode,
  place: readonly string[],
  whole?: string,
): UpdateNode {
  if (a.kind === "leaf" || b.kind === "leaf" || a.kind !== b.kind) throw conflict(place, whole);
  if (a.kind === "elements") {
    return { kind: "elements", children: mergeChildren(a.children, b.children, elementName, place, whole) };
  }
  const positional = (b as FieldsNode).positional;
  return {
    kind: "fields",
    children: mergeChildren(a.children, b.children, (name) => name, place, whole),
    positional: a.positional === undefined || positional === undefined
      ? a.positional ?? positional
      : mergeNodes(a.positional, positional, [...place, "$"], whole),
  };
}

function elementName(identifier: string): string {
  return `$[${identifier}]`;
}

function mergeChildren(
  a: ReadonlyMap<string, UpdateNode>,
  b: ReadonlyMap<string, UpdateNode>,
  partOf: (name: string) => string,
  place: readonly string[],
  whole: string | undefined,
): ReadonlyMap<string, UpdateNode> {
  if (b.size === 0) return a;
  if (a.size === 0) return b;
  const merged = new Map(a);
  for (const [name, child] of b) {
    const present = merged.get(name);
    merged.set(
      name,
      present === undefined ? child : mergeNodes(present, child, [...place, partOf(name)], whole),
    );
  }
  return new Map([...merged].sort(([left], [right]) => comparePlaces(left, right)));
}

const PLACE = /^[0-9]+$/;

/** Names of fields by their characters, places in arrays by their number. */
function comparePlaces(a: string, b: string): number {
  if (PLACE.test(a) && PLACE.test(b)) {
    const order = Number(a) - Number(b);
    if (order !== 0) return order;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The children of a node, once it is known which element `$` stands for. */
export function childrenAt(
  node: FieldsNode,
  position: string,
  place: readonly string[],
): ReadonlyMap<string, UpdateNode> {
  const { positional, children } = node;
  return positional === undefined
    ? children
    : mergeChildren(children, new Map([[position, positional]]), (name) => name, place, undefined);
}

function conflict(place: readonly string[], whole: string | undefined): CommandError {
  const path = place.join(".");
  return new CommandError(
    "ConflictingUpdateOperators",
    whole === undefined
      ? `Update created a conflict at '${path}'`
      : `Updating the path '${whole}' would create a conflict at '${path}'`,
  );
}
