/** Grows the tree of a projection path by path, and finds the paths that collide. */
import { CommandError } from "../../base/mod.ts";
import { parseFieldPath } from "../expression/field_path.ts";
import type { FieldProjection, ProjectionNode } from "./projection.ts";

interface MutableNode extends Map<string, FieldProjection> {}

export class ProjectionTree {
  readonly root: MutableNode = new Map();

  /** The finished tree. */
  get node(): ProjectionNode {
    return this.root;
  }

  /** @throws CommandError 31249, 31250 when another path already rules that field, or one that is refused as a path */
  add(path: string, field: FieldProjection): void {
    const names = parseFieldPath(path);
    let node = this.root;
    for (let i = 0; i < names.length - 1; i++) {
      node = descend(node, names, i);
    }
    const last = names[names.length - 1]!;
    if (node.has(last)) throw new CommandError(31250, `Path collision at ${path}`);
    node.set(last, field);
  }

  /** Puts a top-level field in front of all others. */
  addFirst(name: string, field: FieldProjection): void {
    const others = [...this.root];
    this.root.clear();
    this.root.set(name, field);
    for (const [other, projection] of others) this.root.set(other, projection);
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
      `Path collision at ${names.join(".")} remaining portion ${names.slice(at + 1).join(".")}`,
    );
  }
  return field.node as MutableNode;
}
