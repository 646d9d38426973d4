/**
 * Groups that do not fit in memory: what their accumulators hold so far is put aside in runs sorted by `_id`, and merged in
 * the order in which it came. A group that is seen again after that starts anew.
 *
 *     {_id: <id>, p: [<partial of the first accumulator>, …]}
 */
import { CommandError, PIPELINE_BATCH_ROWS } from "../../base/mod.ts";
import { BuiltDocument, type Document, isArray, type Value } from "../../bson/mod.ts";
import type { QueryContext } from "../context.ts";
import type { QueryMemory } from "../memory.ts";
import { sortInTurns } from "../sort_in_turns.ts";
import { SortedRuns } from "../sorted_runs.ts";
import type { Rows } from "../source.ts";
import { documentOfGroup, type Group, type OutputFactory } from "./output.ts";

const NAMES = ["_id", "p"];

export class GroupRuns {
  private readonly runs: SortedRuns<Value>;

  /** @param compare the order of ids */
  constructor(
    private readonly memory: QueryMemory,
    private readonly factory: OutputFactory,
    private readonly compare: (a: Value, b: Value) => number,
  ) {
    this.runs = new SortedRuns(memory, (row) => row.get("_id"), compare);
  }

  get isEmpty(): boolean {
    return this.runs.isEmpty;
  }

  /** Puts groups aside. @throws CommandError OutOfDiskSpace */
  async add(groups: Group[], context: QueryContext): Promise<void> {
    await this.runs.add(await this.sortedPartials(groups, context), context);
  }

  /** All groups, those in memory among them. @throws CommandError ExceededMemoryLimit (146) for one that is too large */
  async *merged(groups: Group[], context: QueryContext): Rows {
    let current: Group | undefined;
    let batch: Document[] = [];
    const rest = await this.sortedPartials(groups, context);
    for await (const partials of this.runs.merged(rest, context)) {
      for (const partial of partials) {
        const id = partial.get("_id");
        if (current === undefined || this.compare(current.id, id) !== 0) {
          if (current !== undefined) batch.push(documentOfGroup(current));
          current = { id, state: this.factory.create(id) };
        }
        const held = partial.get("p");
        if (isArray(held)) current.state.mergePartials(held);
        this.checkSize(current);
      }
      if (batch.length < PIPELINE_BATCH_ROWS) continue;
      yield batch;
      batch = [];
    }
    if (current !== undefined) batch.push(documentOfGroup(current));
    if (batch.length > 0) yield batch;
  }

  private async sortedPartials(groups: Group[], context: QueryContext): Promise<Document[]> {
    const sorted = await sortInTurns(groups, (a, b) => this.compare(a.id, b.id), context.checkpoint);
    return sorted.map(({ id, state }) => new BuiltDocument(NAMES, [id, state.partials()]));
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
