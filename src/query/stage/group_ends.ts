/**
 * The first and the last row of each group in the order of a sort: all that `$sort` with `$group` behind it needs where
 * the group asks for `$first` and `$last` only. The planner puts this stage before the two, which then do their work, as
 * written, on few rows: rows pass in the order they came, so a stable sort gives what it gave for all of them.
 */
import type { Collation, Document } from "../../bson/mod.ts";
import { type QueryContext, scopeVariables } from "../context.ts";
import { compileExpression } from "../expression/compile.ts";
import { collationOf, type Expression } from "../expression/expression.ts";
import { MemoryMeter } from "../memory.ts";
import { inBatches } from "../rows.ts";
import type { Rows } from "../source.ts";
import { ValueMap } from "../value_map.ts";
import type { GroupStage } from "./group.ts";
import { SORT_MEMORY_MESSAGE, type SortStage } from "./sort.ts";
import { keyOrder, type SortKey, sortKeyReader, type SortPart } from "./sort_key.ts";

export interface GroupEndsStage {
  readonly kind: "groupEnds";
  readonly id: Expression;
  /** The group's. */
  readonly collation?: Collation;
  readonly parts: readonly SortPart[];
  /** Whether the last row of a group is asked for; its first always is, for it says where the group stands. */
  readonly last: boolean;
}

/** The stage that may stand before the two, or undefined. */
export function groupEndsOf(sort: SortStage, group: GroupStage): GroupEndsStage | undefined {
  const accumulators = group.outputs.map((output) => output.accumulator);
  const isOneRow = accumulators.every(({ name, input }) =>
    // What another expression does to a row that is not kept might be to fail.
    (name === "$first" || name === "$last") && (input.kind === "path" || input.kind === "constant")
  );
  if (!isOneRow || sort.limit !== undefined) return undefined;
  const last = accumulators.some(({ name }) => name === "$last");
  return { kind: "groupEnds", id: group.id, parts: sort.parts, last, ...collationOf(group) };
}

interface Entry {
  readonly key: SortKey;
  readonly row: Document;
  /** How many rows came before. */
  readonly place: number;
}

interface Ends {
  first: Entry;
  last: Entry;
}

export async function* runGroupEnds(stage: GroupEndsStage, input: Rows, context: QueryContext): Rows {
  const idOf = compileExpression(stage.id);
  const readKey = sortKeyReader(stage.parts);
  const order = keyOrder(stage.parts);
  const variables = scopeVariables(context);
  const meter = new MemoryMeter(SORT_MEMORY_MESSAGE, context.memory);
  let groups = new ValueMap<Ends>(stage.collation);
  let all: Ends[] = [];
  let place = 0;
  let fits = true;
  for await (const batch of input) {
    for (const row of batch) {
      const id = idOf({ root: row, variables });
      const key = readKey(row);
      const ends = groups.get(id);
      if (ends === undefined) {
        const entry = { key, row, place };
        const added = { first: entry, last: entry };
        groups.set(id, added);
        all.push(added);
        fits = meter.tryAdd(2 * meter.rowBytes(row)) && fits;
      } else if (order(key, ends.first.key) < 0) {
        ends.first = { key, row, place };
      } else if (stage.last && order(key, ends.last.key) >= 0) {
        ends.last = { key, row, place };
      }
      place++;
    }
    await context.checkpoint();
    if (fits) continue;
    // The stages behind it find the ends of all rows that it lets through: some more do no harm.
    yield* inBatches(rowsOf(all, stage.last), context);
    groups = new ValueMap(stage.collation);
    all = [];
    meter.reset();
    fits = true;
  }
  yield* inBatches(rowsOf(all, stage.last), context);
}

/** The rows kept, in the order in which they came. */
function rowsOf(groups: readonly Ends[], last: boolean): readonly Document[] {
  const entries = groups.flatMap((ends) =>
    last && ends.last !== ends.first ? [ends.first, ends.last] : [ends.first]
  );
  return entries.sort((a, b) => a.place - b.place).map((entry) => entry.row);
}
