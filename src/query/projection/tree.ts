/** Grows the tree of a projection path by path, and finds the paths that collide. */
import { CommandError } from "../../base/mod.ts";
import { parseFieldPath } from "../expression/field_path.ts";
import type { FieldProjection, ProjectionNode } from "./projection.ts";

interface MutableNode extends Map<string, FieldProjection> {}

export class ProjectionTree {
  constructor(readonly root: MutableNode = new Map()) {}

  /** The finished tree. */
  get node(): ProjectionNode {
    return this.root;
  }

  /** @throws CommandError 31249, 31250 when another path already rules that field, or one that is refused as a path */
  add(path: string, field: FieldProjection): void {
    const { node, last } = this.locate(path);
    if (node.has(last)) throw new CommandError(31250, `Path collision at ${path}`);
    node.set(last, field);
  }

  /** The tree of the fields below a path; errors name their paths from there on. @throws as `add` */
  below(path: string): ProjectionTree {
    const { node, last } = this.locate(path);
    const field = node.get(last);
    if (field?.kind === "nested") return new ProjectionTree(field.node as MutableNode);
    const child = new ProjectionTree();
    this.add(path, { kind: "nested", node: child.root });
    return child;
  }

  /** Takes a path out again. */
  remove(path: readonly string[]): void {
    const { node, last } = this.locate(path.join("."));
    node.delete(last);
  }

  /** Puts a top-level field in front of all others. */
  addFirst(name: string, field: FieldProjection): void {
    const others = [...this.root];
    this.root.clear();
    this.root.set(name, field);
    for (const [other, projection] of others) this.root.set(other, projection);
  }

  /** The node that holds the path's last field; the ones on the way are made. */
  private locate(path: string): { readonly node: MutableNode; readonly last: string } {
    const names = parseFieldPath(path);
    let node = this.root;
    for (let i = 0; i < names.length - 1; i++) node = descend(node, names, i);
    return { node, last: names[names.length - 1]! };
  }
}

function descend(node: MutableNode, names: readonly string[], at: number): MutableNode {
  const field = node.get(names[at]!);
  if (field === undefined) {
    const child: MutableNode = new Map();
    node.set(names[at]!, { kind: "nested", node: child });
    return child;
  }
  if (field.kind !== "nested") {
    throw new CommandError(
      31249,
      `Path collision at ${names.join(".")} remaining portion ${names.slice(1).join(".")}`,
    );
  }
  return field.node as MutableNode;
}
