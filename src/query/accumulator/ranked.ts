/**
 * `$top`, `$topN`, `$bottom`, `$bottomN`: the first or last outputs by a sort order of their own. Sort keys compare as
 * whole values (an array is not searched for its least element), a missing one counts as null, an empty array as undefined. A row that ranks equal to
 * the worst that is kept does not replace it.
 */
import { CommandError } from "../../base/mod.ts";
import { BuiltDocument, Document, isArray, MinKey, type Value, valueOrder } from "../../bson/mod.ts";
import { type Expression, type ParseContext } from "../expression/expression.ts";
import { renderElement } from "../expression/message.ts";
import type { Parse } from "../expression/operator.ts";
import { approximateBytes, detached } from "../memory.ts";
import { parseSortOrder } from "../stage/sort_order.ts";
import type { Accumulator, AccumulatorDefinition, AccumulatorNode } from "./accumulator.ts";

/** An output and its sort keys, as `node.input` gives them. */
type Entry = readonly [output: Value, keys: readonly Value[]];

/** Keeps entries in sort order, equal ones as they came. */
class Ranked implements Accumulator {
  keptBytes = 0;
  private readonly kept: Entry[] = [];

  constructor(
    private readonly directions: readonly (1 | -1)[],
    private readonly side: "top" | "bottom",
    private readonly n: number,
    private readonly single: boolean,
    private readonly compareValues: (a: Value, b: Value) => number,
  ) {}

  add(value: Value): void {
    const entry = value as Entry;
    if (this.kept.length >= this.n) {
      const worst = this.side === "top" ? this.kept[this.n - 1]! : this.kept[0]!;
      const order = this.compare(entry[1], worst[1]);
      if (this.side === "top" ? order >= 0 : order <= 0) return;
      if (this.side === "top") this.kept.pop();
      else this.kept.shift();
      this.keptBytes -= approximateBytes(worst);
    }
    const own: Entry = [detached(entry[0]), entry[1].map(detached)];
    this.kept.splice(this.placeOf(own), 0, own);
    this.keptBytes += approximateBytes(own);
  }

  /** Behind all that sort before `entry` or equal to it. */
  private placeOf(entry: Entry): number {
    let from = 0;
    let to = this.kept.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.compare(entry[1], this.kept[middle]![1]) < 0) to = middle;
      else from = middle + 1;
    }
    return from;
  }

  private compare(a: readonly Value[], b: readonly Value[]): number {
    for (let i = 0; i < this.directions.length; i++) {
      const order = this.compareKeys(a[i], b[i]);
      if (order !== 0) return order * this.directions[i]!;
    }
    return 0;
  }

  /** An empty array is undefined as a key: below null, above MinKey alone. */
  private compareKeys(a: Value, b: Value): number {
    const [isLow, isOtherLow] = [isEmptyArray(a), isEmptyArray(b)];
    if (isLow === isOtherLow) return isLow ? 0 : this.compareValues(a, b);
    if (isLow) return b instanceof MinKey ? 1 : -1;
    return a instanceof MinKey ? -1 : 1;
  }

  partial(): Value {
    return this.kept;
  }

  merge(partial: Value): void {
    if (isArray(partial)) partial.forEach((entry) => this.add(entry));
  }

  result(): Value {
    const outputs = this.kept.map(([output]) => output);
    return this.single ? outputs[0] ?? null : outputs;
  }
}

function isEmptyArray(value: Value): boolean {
  return isArray(value) && value.length === 0;
}

function parseRanked(name: string, value: Value, context: ParseContext, parse: Parse): AccumulatorNode {
  const takesN = name.endsWith("N");
  if (!(value instanceof Document)) {
    throw new CommandError(
      5788001,
      `specification must be an object; found ${name}: ${renderElement(value)}`,
    );
  }
  for (const field of value.names()) {
    if (field === "output" || field === "sortBy" || (takesN && field === "n")) continue;
    throw new CommandError(5788002, `Unknown argument to ${name} '${field}'`);
  }
  const sortBy = value.get("sortBy");
  if (value.has("sortBy") && !(sortBy instanceof Document)) {
    throw new CommandError(10065, "invalid parameter: expected an object (sortBy)");
  }
  if (takesN && !value.has("n")) throw new CommandError(5788003, "Missing value for 'n'");
  if (!value.has("output")) throw new CommandError(5788004, "Missing value for 'output'");
  if (!(sortBy instanceof Document)) throw new CommandError(5788005, "Missing value for 'sortBy'");
  const { directions, keys } = parseSortBy(sortBy, context, parse);
  const input: Expression = { kind: "array", items: [parse(value.get("output"), context), keys] };
  const node = { kind: "accumulator", name, input, directions } as const;
  return takesN ? { ...node, n: parse(value.get("n"), context) } : node;
}

function parseSortBy(
  sortBy: Document,
  context: ParseContext,
  parse: Parse,
): { readonly directions: readonly (1 | -1)[]; readonly keys: Expression } {
  const values = sortBy.values();
  const orders = sortBy.names().map((name, i) => [name, parseSortOrder(name, values[i])] as const);
  return {
    directions: orders.map(([, order]) => order === "randVal" ? 1 : order),
    keys: {
      kind: "array",
      items: orders.map(([name, order]) => parse(order === "randVal" ? RANDOM : `$${name}`, context)),
    },
  };
}

const RANDOM = BuiltDocument.of({ $rand: BuiltDocument.EMPTY });

function ranked(name: string, side: "top" | "bottom", single: boolean): AccumulatorDefinition {
  return {
    name,
    parse: parseRanked,
    create: (node, n) => new Ranked(node.directions ?? [], side, n, single, valueOrder(node.collation)),
  };
}

export const RANKED: readonly AccumulatorDefinition[] = [
  ranked("$bottom", "bottom", true),
  ranked("$bottomN", "bottom", false),
  ranked("$top", "top", true),
  ranked("$topN", "top", false),
];
