/**
 * Groups that do not fit in memory: what their accumulators hold so far is put aside in sorted runs, and merged in the order
 * in which it came. A group that is seen again after that starts anew.
 *
 *     {_id: <id>, k: <key, where that is not the id>, p: [<partial of the first accumulator>, …]}
 */
import { CommandError, PIPELINE_BATCH_ROWS } from "../../base/mod.ts";
import { BuiltDocument, type Document, isArray, type Value } from "../../bson/mod.ts";
import type { QueryContext } from "../context.ts";
import type { QueryMemory } from "../memory.ts";
import { sortInTurns } from "../sort_in_turns.ts";
import { SortedRuns } from "../sorted_runs.ts";
import type { Rows } from "../source.ts";
import { documentOfGroup, type Group, type OutputFactory } from "./output.ts";

/** What tells groups apart, and how they are ordered by it. */
export interface GroupOrder<G extends Group> {
  readonly keyOf: (group: G) => Value;
  readonly compare: (a: Value, b: Value) => number;
  /** Whether the _id of a group's last part is the group's, not that of its first. */
  readonly takesLastId?: true;
}

interface MergedGroup extends Group {
  readonly key: Value;
}

export class GroupRuns<G extends Group = Group> {
  private readonly runs: SortedRuns<Value>;

  constructor(
    private readonly memory: QueryMemory,
    private readonly factory: OutputFactory,
    private readonly order: GroupOrder<G>,
  ) {
    this.runs = new SortedRuns(memory, keyOfRow, order.compare);
  }

  get isEmpty(): boolean {
    return this.runs.isEmpty;
  }

  /** Puts groups aside. @throws CommandError OutOfDiskSpace */
  async add(groups: readonly G[], context: QueryContext): Promise<void> {
    await this.runs.add(await this.sortedPartials(groups, context), context);
  }

  /** All groups as documents, those in memory among them, in their order. @throws as `merged` */
  async *documents(groups: readonly G[], context: QueryContext): Rows {
    for await (const batch of this.merged(groups, context)) yield batch.map(documentOfGroup);
  }

  /** All groups, those in memory among them, in their order. @throws CommandError ExceededMemoryLimit (146) for one that is too large */
  async *merged(groups: readonly G[], context: QueryContext): AsyncGenerator<readonly MergedGroup[]> {
    let current: MergedGroup | undefined;
    let batch: MergedGroup[] = [];
    const rest = await this.sortedPartials(groups, context);
    for await (const partials of this.runs.merged(rest, context)) {
      for (const partial of partials) {
        const key = keyOfRow(partial);
        if (current === undefined || this.order.compare(current.key, key) !== 0) {
          if (current !== undefined) batch.push(current);
          const id = partial.get("_id");
          current = { id, key, state: this.factory.create(id) };
        } else if (this.order.takesLastId) {
          current = { ...current, id: partial.get("_id") };
        }
        const held = partial.get("p");
        if (isArray(held)) current.state.mergePartials(held);
        this.checkSize(current);
      }
      if (batch.length < PIPELINE_BATCH_ROWS) continue;
      yield batch;
      batch = [];
    }
    if (current !== undefined) batch.push(current);
    if (batch.length > 0) yield batch;
  }

  private async sortedPartials(groups: readonly G[], context: QueryContext): Promise<Document[]> {
    const { keyOf, compare } = this.order;
    const byKey = (a: G, b: G) => compare(keyOf(a), keyOf(b));
    const sorted = await sortInTurns([...groups], byKey, context.checkpoint);
    return sorted.map((group) => {
      const key = keyOf(group);
      const partials = group.state.partials();
      return key === group.id
        ? new BuiltDocument(["_id", "p"], [group.id, partials])
        : new BuiltDocument(["_id", "k", "p"], [group.id, key, partials]);
    });
  }

  private checkSize({ state }: Group): void {
    const { bytes, most } = state.kept();
    const { stageBytes } = this.memory;
    if (bytes <= stageBytes) return;
    throw new CommandError(
      "ExceededMemoryLimit",
      `${this.factory.accumulatorName(most)} used too much memory and cannot spill to disk. Memory limit: ` +
        `${stageBytes} bytes`,
    );
  }
}

function keyOfRow(row: Document): Value {
  const key = row.get("k");
  return key === undefined ? row.get("_id") : key;
}
