/** Groups that call themselves before they have taken a character: such a pattern would call without end. */
import { startOf } from "./analysis.ts";
import { childrenOf, type Node } from "./syntax.ts";

type Groups = ReadonlyMap<number, Node>;

/** Whether a group of the pattern comes back to itself at the position where it began. */
export function hasLeftRecursion(groups: Groups): boolean {
  for (const [number, group] of groups) {
    if (reaches(number, group, groups, new Set())) return true;
  }
  return false;
}

function reaches(target: number, from: Node, groups: Groups, seen: Set<number>): boolean {
  for (const called of leftCalls(from, groups)) {
    if (called === target) return true;
    if (seen.has(called)) continue;
    seen.add(called);
    if (reaches(target, groups.get(called)!, groups, seen)) return true;
  }
  return false;
}

/** The groups that may be called before a character is taken. */
function leftCalls(node: Node, groups: Groups): readonly number[] {
  switch (node.kind) {
    case "call":
      return [node.number];
    case "sequence": {
      const end = node.items.findIndex((item) => !canBeEmpty(item, groups, new Set()));
      return node.items.slice(0, end < 0 ? undefined : end + 1).flatMap((item) => leftCalls(item, groups));
    }
    default:
      return childrenOf(node).flatMap((child) => leftCalls(child, groups));
  }
}

function canBeEmpty(node: Node, groups: Groups, open: ReadonlySet<number>): boolean {
  const of = (child: Node) => canBeEmpty(child, groups, open);
  switch (node.kind) {
    case "call": {
      const group = groups.get(node.number)!;
      return !open.has(node.number) && canBeEmpty(group, groups, new Set([...open, node.number]));
    }
    case "sequence":
      return node.items.every(of);
    case "choice":
      return node.items.some(of);
    case "repeat":
      return node.min === 0 || of(node.item);
    case "group":
    case "atomic":
      return of(node.item);
    case "condition":
      return node.test.kind === "define" || of(node.yes) || of(node.no);
    case "assertion":
      return true;
    default:
      return startOf(node).nullable;
  }
}
