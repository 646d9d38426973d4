/**
 * How many steps a plain backtracking engine may take for a pattern, as a bound over the length of the text. A run of characters that ends where the next thing must begin has one end only, so what is behind it is
 * tried once; any other run multiplies what is behind it by its length. A loop over something with one way to match is a run;
 * other loops have no such bound.
 */
import { endsRun, followsOf, loopFollow, type Start, startOf } from "./analysis.ts";
import { areDisjoint } from "./character_set.ts";
import { type Bound, constant, larger, LENGTH, ONE, power, product, sum } from "./bound.ts";
import type { Node, Repeat } from "./syntax.ts";

/** Ways in which a node can match at one position, and steps to try them all. */
interface Cost {
  readonly ways: Bound;
  readonly work: Bound;
}

const STEP: Cost = { ways: ONE, work: ONE };

/** The bound for one start; undefined where there is none. */
export function stepsOf(root: Node, follow: Start): Bound | undefined {
  return costOf(root, follow)?.work;
}

function costOf(node: Node, follow: Start): Cost | undefined {
  switch (node.kind) {
    case "empty":
    case "set":
    case "assertion":
      return STEP;
    case "sequence":
      return costOfSequence(node.items, follow);
    case "choice":
      return costOfChoice(node.items, follow);
    case "repeat":
      return node.item.kind === "set" ? costOfRun(node, follow) : costOfLoop(node, follow);
    case "group":
      return costOf(node.item, follow);
    case "look": {
      const cost = costOf(node.item, follow);
      return cost && { ways: ONE, work: cost.work };
    }
    default:
      return undefined;
  }
}

function costOfSequence(items: readonly Node[], follow: Start): Cost | undefined {
  const follows = followsOf(items, follow);
  let ways = ONE;
  let work = ONE;
  for (const [at, item] of items.entries()) {
    const cost = costOf(item, follows[at]!);
    if (cost === undefined) return undefined;
    work = sum(work, product(ways, cost.work));
    ways = product(ways, cost.ways);
  }
  return { ways, work };
}

function costOfChoice(items: readonly Node[], follow: Start): Cost | undefined {
  let ways: Bound | undefined;
  let work = ONE;
  const apart = areApart(items);
  for (const item of items) {
    const cost = costOf(item, follow);
    if (cost === undefined) return undefined;
    ways = ways === undefined ? cost.ways : apart ? larger(ways, cost.ways) : sum(ways, cost.ways);
    work = sum(work, cost.work);
  }
  return { ways: ways ?? ONE, work };
}

/** Whether the next character tells which item it is. */
function areApart(items: readonly Node[]): boolean {
  const starts = items.map(startOf);
  return starts.every((start, at) =>
    !start.nullable && !start.atEnd &&
    starts.slice(at + 1).every((other) => areDisjoint(start.set, other.set))
  );
}

function costOfRun({ item, min, max }: Repeat, follow: Start): Cost {
  const work = max === Infinity ? LENGTH : constant(max + 1);
  if (item.kind === "set" && endsRun(item.set, follow)) return { ways: ONE, work };
  return { ways: max === Infinity ? LENGTH : constant(max - min + 1), work };
}

function costOfLoop({ item, min, max }: Repeat, follow: Start): Cost | undefined {
  const start = startOf(item);
  const cost = costOf(item, loopFollow(item, follow));
  if (cost === undefined) return undefined;
  const { ways, work } = cost;
  if (max !== Infinity) {
    const rounds = constant(max + 1);
    const waysOfAll = power(ways, max);
    return {
      ways: product(waysOfAll, constant(max - min + 1)),
      work: product(rounds, product(waysOfAll, work)),
    };
  }
  if (start.nullable || start.atEnd || ways.length > 1 || ways[0]! > 1) return undefined;
  const rounds = sum(LENGTH, constant(min));
  return {
    ways: endsRun(start.set, follow) ? ONE : LENGTH,
    work: product(rounds, work),
  };
}
