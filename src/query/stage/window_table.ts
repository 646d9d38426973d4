/**
 * Windows by where they start and their partition. What does not fit in memory is put aside, and merged in order of time
 * and partition; a window that is asked for again after that starts anew.
 */
import {
  type Collation,
  type Document,
  UtcDate,
  type Value,
  type ValueKey,
  valueKeys,
} from "../../bson/mod.ts";
import type { QueryContext } from "../context.ts";
import { approximateBytes, detached, MemoryMeter } from "../memory.ts";
import { inBatches } from "../rows.ts";
import type { Rows } from "../source.ts";
import { GroupRuns } from "./group_runs.ts";
import { documentOfGroup, type Group, type Output, OutputFactory } from "./output.ts";
import { type PlacedWindow, placeOf, placeValue, START_FIELD, windowId, windowOrder } from "./window_id.ts";

export const WINDOW_MEMORY_MESSAGE =
  "Exceeded memory limit for $timeWindow, but didn't allow external spilling;" +
  " pass allowDiskUse:true to opt in";

export interface Window extends Group, PlacedWindow {
  readonly id: Document;
}

/** What windows have in common. */
export interface WindowSpec {
  readonly outputs: readonly Output[];
  /** Which texts are one partition; undefined for those of the same bytes. */
  readonly collation?: Collation;
}

/** Rows of a stretch of time that all are in the same windows. */
export interface Pane extends PlacedWindow {
  /** What they make of each output. */
  readonly partials: readonly Value[];
}

export class WindowTable {
  private readonly factory: OutputFactory;
  private readonly meter: MemoryMeter;
  private readonly runs: GroupRuns<Window> | undefined;
  private readonly keyOf: (partition: Value) => ValueKey;
  private readonly order: ReturnType<typeof windowOrder>;
  private readonly byStart = new Map<number, Map<ValueKey, Window>>();
  private fits = true;

  constructor({ outputs, collation }: WindowSpec, private readonly context: QueryContext) {
    const { memory } = context;
    this.factory = new OutputFactory(outputs);
    this.meter = new MemoryMeter(WINDOW_MEMORY_MESSAGE, memory);
    this.keyOf = valueKeys(collation);
    const order = this.order = windowOrder(collation);
    this.runs = memory && new GroupRuns<Window>(memory, this.factory, {
      keyOf: placeValue,
      compare: (a, b) => order(placeOf(a), placeOf(b)),
    });
  }

  /** The window of that place, begun if there is none. */
  at(startMs: number, partition: Value): Window {
    const key = this.keyOf(partition);
    let partitions = this.byStart.get(startMs);
    if (partitions === undefined) this.byStart.set(startMs, partitions = new Map());
    const known = partitions.get(key);
    if (known !== undefined) return known;
    const id = windowId({ [START_FIELD]: new UtcDate(startMs) }, partition);
    const window: Window = { startMs, partition: detached(partition), id, state: this.factory.create(id) };
    this.count(this.ownBytes(window));
    partitions.set(key, window);
    return window;
  }

  /** Counts what a window keeps of a row. @returns whether all fits in memory; else it is to be put aside */
  count(bytes: number): boolean {
    if (!this.meter.tryAdd(bytes)) this.fits = false;
    return this.fits;
  }

  /** @throws CommandError QueryExceededMemoryLimitNoDiskUseAllowed (292), OutOfDiskSpace */
  async putAside(): Promise<void> {
    if (this.runs === undefined || !this.meter.maySpill) throw this.meter.exceeded();
    await this.runs.add(this.windows(), this.context);
    this.byStart.clear();
    this.meter.reset();
    this.fits = true;
  }

  /** Whether any window was put aside: its beginning is on disk, and all windows come at the end only. */
  get isAside(): boolean {
    return this.runs !== undefined && !this.runs.isEmpty;
  }

  /** Takes out the windows that start where `hasEnded` says so. @returns them in order of time and partition */
  takeEnded(hasEnded: (startMs: number) => boolean): readonly Document[] {
    const windows: Window[] = [];
    for (const [startMs, partitions] of this.byStart) {
      if (!hasEnded(startMs)) continue;
      windows.push(...partitions.values());
      this.byStart.delete(startMs);
    }
    this.meter.release(
      windows.reduce((bytes, each) => bytes + this.ownBytes(each) + each.state.kept().bytes, 0),
    );
    return windows.sort(this.order).map(documentOfGroup);
  }

  /** What it holds as panes, in order of time and partition. */
  async *panes(): AsyncGenerator<Pane> {
    if (this.runs === undefined || this.runs.isEmpty) {
      for (const { startMs, partition, state } of this.sorted()) {
        yield { startMs, partition, partials: state.partials() };
      }
      return;
    }
    for await (const batch of this.runs.merged(this.windows(), this.context)) {
      for (const { key, state } of batch) yield { ...placeOf(key), partials: state.partials() };
    }
  }

  /** The windows as documents, in order of time and partition. @throws CommandError ExceededMemoryLimit (146) for one that is too large */
  rows(): Rows {
    return this.runs === undefined || this.runs.isEmpty
      ? inBatches(this.sorted().map(documentOfGroup), this.context)
      : this.runs.documents(this.windows(), this.context);
  }

  private windows(): Window[] {
    return [...this.byStart.values()].flatMap((partitions) => [...partitions.values()]);
  }

  private sorted(): readonly Window[] {
    return this.windows().sort(this.order);
  }

  private ownBytes({ id }: Window): number {
    return approximateBytes(id) + this.factory.stateBytes;
  }
}
