/**
 * What changes take away from segments while these are being merged, on its way to the segments that come in their place.
 *
 * A merge leaves out the rows that were masked on disk when it began, and keeps all others. A row that has gone since is
 * found in the new segments as a change is found anywhere: by its series, its time, and its place among the rows of both
 * that the merge kept. Most of that runs beside everything else; what comes while the new segments are being recorded is
 * little, and done at once.
 */
import type { MergedInput } from "./compaction.ts";
import type { SegmentMasks } from "./mask_file.ts";
import { PAGE_ROWS } from "../../base/mod.ts";
import type { Pace } from "./pacer.ts";
import { markRows, RowGroupRemoval } from "./removal.ts";
import { readSpans, RemovedRows } from "./removed_rows.ts";
import { maskWithout, type RowMask, RowMaskBuilder } from "./row_mask.ts";
import type { Run } from "./run.ts";
import { RunHeap } from "./run_heap.ts";
import type { Segment } from "./segment.ts";
import type { RowGroupEntry } from "./segment_format.ts";
import { OpenRowGroup, openSegmentRun } from "./segment_run.ts";
import type { AddedSegment, Table } from "./table.ts";
import { ByteReader } from "../../column/mod.ts";

export class CarriedMasks {
  private readonly tables: readonly CarriedTable[];

  /** @param added the segments that come */
  constructor(inputs: readonly MergedInput[], added: readonly Segment[], tables: ReadonlyMap<number, Table>) {
    const byTable = Map.groupBy(inputs, ({ tableId }) => tableId);
    this.tables = [...byTable].flatMap(([id, own]) => {
      const table = tables.get(id);
      return table === undefined ? [] : [new CarriedTable(table, own, added)];
    });
  }

  /** Carries over what is gone by now. */
  async gather(pace: Pace): Promise<void> {
    for (const table of this.tables) await table.gather(pace);
  }

  /** By new segment: what has come to be masked on disk in the old ones, and so must be in the new ones. */
  get storedMasks(): ReadonlyMap<number, SegmentMasks> {
    const all = new Map<number, SegmentMasks>();
    for (const { stored } of this.tables) {
      for (const [segment, masks] of stored) all.set(segment, new Map([...all.get(segment) ?? [], ...masks]));
    }
    return all;
  }

  /** What a table has of the new segments, with what has gone meanwhile. */
  segmentsOf(tableId: number): AddedSegment[] {
    return this.tables.find((each) => each.table.id === tableId)?.segments() ?? [];
  }
}

type MasksBySegment = ReadonlyMap<number, SegmentMasks>;

const NO_MASKS: SegmentMasks = new Map();

class CarriedTable {
  /** By new segment: masks that count on disk. */
  stored: MasksBySegment = new Map();
  /** By new segment: masks with what is not on disk yet; by old segment, what they were made from. */
  private carried: MasksBySegment = new Map();
  private known: MasksBySegment = new Map();

  constructor(
    readonly table: Table,
    private readonly inputs: readonly MergedInput[],
    private readonly added: readonly Segment[],
  ) {}

  async gather(pace: Pace): Promise<void> {
    const merged = bySegment(this.inputs, ({ masks }) => masks);
    const stored = bySegment(this.inputs, ({ segment }) => this.table.storedMasksOf(segment));
    this.stored = await this.carry(merged, stored, pace);
    this.known = bySegment(this.inputs, ({ segment }) => this.table.masksOf(segment));
    this.carried = joined(this.stored, await this.carry(stored, this.known, pace));
  }

  segments(): AddedSegment[] {
    const now = bySegment(this.inputs, ({ segment }) => this.table.masksOf(segment));
    const masks = joined(this.carried, this.carryAtOnce(this.known, now));
    return this.added.flatMap((segment) => {
      const entry = segment.tables.find(({ tableId }) => tableId === this.table.id);
      if (entry === undefined) return [];
      const storedMasks = this.stored.get(segment.number) ?? NO_MASKS;
      return [{ segment, entry, storedMasks, masks: masks.get(segment.number) ?? NO_MASKS }];
    });
  }

  private async carry(before: MasksBySegment, now: MasksBySegment, pace: Pace): Promise<MasksBySegment> {
    const steps = this.steps(before, now);
    let step = steps.next();
    for (; step.done !== true; step = steps.next()) await pace();
    return step.value;
  }

  private carryAtOnce(before: MasksBySegment, now: MasksBySegment): MasksBySegment {
    const steps = this.steps(before, now);
    let step = steps.next();
    while (step.done !== true) step = steps.next();
    return step.value;
  }

  /** Carries what has gone between two states of the old segments to the new ones, series by series. */
  private *steps(before: MasksBySegment, now: MasksBySegment): Generator<void, MasksBySegment> {
    const groups = this.openGroups(before, now);
    if (groups.every(({ gone }) => gone === undefined)) return new Map();
    const removed = new RemovedRows();
    for (const [series, range] of rangesOf(groups)) {
      gatherRows(series, range, groups, removed);
      yield;
    }
    const blocks = [...readSpans(new ByteReader(removed.take().bytes))];
    const { names } = this.table;
    const places = this.added.flatMap((segment) => {
      const entry = segment.tables.find(({ tableId }) => tableId === this.table.id);
      return (entry?.groups ?? []).map((group) =>
        new RowGroupRemoval({ segment, entry: group, names, firstMs: -Infinity, mask: undefined })
      );
    });
    markRows(blocks, places);
    return masksOfPlaces(places);
  }

  private openGroups(before: MasksBySegment, now: MasksBySegment): readonly InputGroup[] {
    const { index, names } = this.table;
    const counters = { pagesRead: 0, pagesSkipped: 0 };
    return this.inputs.flatMap(({ segment, entry, firstMs, masks }) => {
      const [old, current] = [before.get(segment.number)!, now.get(segment.number)!];
      return entry.groups.filter((group) => group.maxTime >= firstMs).map((group) => {
        const gone = current === old
          ? undefined
          : maskWithout(current.get(group.offset), old.get(group.offset));
        const open = () => {
          const opened = segment.rowGroup(group, names);
          return new OpenRowGroup(
            segment,
            opened,
            index,
            counters,
            masks.get(group.offset),
            "several readers",
          );
        };
        return new InputGroup(group, open, gone, firstMs);
      });
    });
  }
}

/** A row group that was merged, opened when it is needed, and what has gone of it. */
class InputGroup {
  private opened: OpenRowGroup | undefined;

  constructor(
    private readonly entry: RowGroupEntry,
    private readonly openGroup: () => OpenRowGroup,
    readonly gone: RowMask | undefined,
    readonly firstMs: number,
  ) {}

  mayHold(series: number): boolean {
    return series >= this.entry.firstSeries && series <= this.entry.lastSeries;
  }

  get open(): OpenRowGroup {
    return this.opened ??= this.openGroup();
  }
}

interface TimeSpan {
  fromMs: number;
  toMs: number;
}

/** By series, ascending: between which times rows have gone. */
function rangesOf(groups: readonly InputGroup[]): [number, TimeSpan][] {
  const ranges = new Map<number, TimeSpan>();
  for (const { gone, open } of groups.filter((each) => each.gone !== undefined)) {
    const { group } = open;
    let place = 0;
    gone?.forEach((row) => {
      while (group.seriesEnds[place]! <= row) place++;
      const series = group.series[place]!;
      const ms = open.rowsOfPage(pageOf(row)).timeOf(row);
      const range = ranges.get(series);
      if (range === undefined) ranges.set(series, { fromMs: ms, toMs: ms });
      else {
        range.fromMs = Math.min(range.fromMs, ms);
        range.toMs = Math.max(range.toMs, ms);
      }
    });
  }
  return [...ranges].sort(([a], [b]) => a - b);
}

/** Gathers the rows of one series that have gone, by their places among those that were merged. */
function gatherRows(
  series: number,
  range: TimeSpan,
  groups: readonly InputGroup[],
  removed: RemovedRows,
): void {
  const heap = new RunHeap(1);
  const goneOfRun = new Map<Run, RowMask | undefined>();
  groups.forEach((group, age) => {
    if (!group.mayHold(series)) return;
    const fromMs = Math.max(range.fromMs, group.firstMs);
    const run = openSegmentRun(group.open, series, { fromMs, toMs: range.toMs }, 1, age);
    if (run === undefined) return;
    heap.push(run);
    goneOfRun.set(run, group.gone);
  });
  let visit = 0;
  for (let run = heap.top(), last = NaN, ordinal = 0; run !== undefined; run = heap.top(), visit++) {
    const { time, row } = run;
    ordinal = time === last ? ordinal + 1 : 0;
    last = time;
    if (goneOfRun.get(run)?.has(row) === true) removed.add({ series, time, ordinal, visit });
    heap.advanceTop();
  }
}

function masksOfPlaces(places: readonly RowGroupRemoval[]): MasksBySegment {
  const masks = new Map<number, Map<number, RowMask>>();
  for (const removal of places) {
    const { segment, entry } = removal.place;
    const mask = removal.mask();
    if (mask === undefined) continue;
    const own = masks.get(segment.number) ?? new Map<number, RowMask>();
    masks.set(segment.number, own.set(entry.offset, mask));
  }
  return masks;
}

/** What is masked in either; the first ones as they are where the others add nothing. */
function joined(a: MasksBySegment, b: MasksBySegment): MasksBySegment {
  if (b.size === 0) return a;
  const all = new Map(a);
  for (const [segment, masks] of b) {
    const own = new Map(all.get(segment) ?? []);
    for (const [offset, mask] of masks) {
      const builder = new RowMaskBuilder(own.get(offset));
      builder.addAll(mask);
      own.set(offset, builder.build()!);
    }
    all.set(segment, own);
  }
  return all;
}

function bySegment(
  inputs: readonly MergedInput[],
  masksOf: (input: MergedInput) => SegmentMasks,
): MasksBySegment {
  return new Map(inputs.map((input) => [input.segment.number, masksOf(input)]));
}

function pageOf(row: number): number {
  return Math.floor(row / PAGE_ROWS);
}
