/**
 * A change of one table while it is being made: it scans rows as they were at its beginning, gathers which go and what
 * comes, and lays that out for the log.
 *
 * No other change of the table, and no pass of retention, may come between the scan and the application of what `take`
 * gave: ordinals would not be those that the scan saw. Inserts may: their rows come behind all others of their series
 * and time. But one that falls among the rows of a long span would go with them, unseen: so the owner tells of every
 * insert that goes to the log meanwhile, and spans are cut where one falls into them.
 */
import { assert, PIPELINE_BATCH_ROWS } from "../../base/mod.ts";
import type { Document, RawDocument } from "../../bson/mod.ts";
import { ByteReader, ByteWriter } from "../../column/mod.ts";
import type { Clock } from "../../io/mod.ts";
import { firstAtLeast } from "./ascending.ts";
import { encodeChange } from "./change_payload.ts";
import { visitInsert } from "./insert_payload.ts";
import { MarkedRows } from "./marked_rows.ts";
import { documentsStart, prepareMeasurements, visitMeasurements } from "./measurement.ts";
import { readSpans, RemovedRows, type RowPlace, type SpanBlock, SpanWriter } from "./removed_rows.ts";
import { mergedRuns, narrow, sourcesOf, SourceWindow } from "./scan.ts";
import { Pacer } from "./scan_pacer.ts";
import type { TableSnapshot } from "./table_snapshot.ts";
import type { TimeseriesScan } from "./scan_request.ts";
import { documentOf } from "./stored_document.ts";
import type { Table } from "./table.ts";

/** Which rows to look at. Rows come by series, then time. */
export type ChangeScan = Pick<
  TimeseriesScan,
  "timeRange" | "seriesFilter" | "seriesLookup" | "seriesTests" | "ids" | "checkpoint" | "counters"
>;

/** A row and where it is. */
export interface PlacedRow extends RowPlace {
  readonly document: Document;
  /** Which row of which row group or memtable of the snapshot. */
  readonly age: number;
  readonly row: number;
}

/** What goes into the log, and what helps to apply it here. */
export interface TakenChange {
  readonly payload: Uint8Array;
  readonly marked: MarkedRows | undefined;
}

export class TableChange {
  private snapshot: TableSnapshot | undefined;
  private readonly removed = new RemovedRows();
  private added = new ByteWriter();
  private marked: MarkedRows | undefined;
  /** By series: the times of measurements that were logged since the change began, where its spans may still hold them. */
  private readonly arrivals = new Map<number, number[]>();
  /** The row that went last. */
  private last: RowPlace | undefined;

  constructor(private readonly table: Table, private readonly clock: Clock) {}

  /** About how many bytes `take` would give. */
  get sizeBytes(): number {
    return this.removed.sizeBytes + this.added.length;
  }

  /** The rows as they are at the first call, in batches that are never empty. */
  async *scan(request: ChangeScan): AsyncGenerator<readonly PlacedRow[], void, undefined> {
    const snapshot = this.snapshot ??= this.table.snapshot();
    this.marked = new MarkedRows(snapshot);
    const { checkpoint, counters } = request;
    const pacer = new Pacer(this.clock, checkpoint);
    const { narrowed, matched } = await narrow(snapshot, request, pacer);
    const window = new SourceWindow(sourcesOf(snapshot, narrowed));
    let batch: PlacedRow[] = [];
    for (let series = 0, visit = 0; series < snapshot.seriesCount; series++) {
      if (matched !== undefined) series = matched.next(series);
      if (series >= snapshot.seriesCount) break;
      await pacer.restIfDue();
      const heap = mergedRuns(window.sourcesOf(series), series);
      for (let run = heap.top(), last = NaN, ordinal = 0; run !== undefined; run = heap.top(), visit++) {
        const { time, row, age } = run;
        ordinal = time === last ? ordinal + 1 : 0;
        last = time;
        batch.push({ document: documentOf(run.source, row), series, time, ordinal, visit, age, row });
        heap.advanceTop();
        if (batch.length < PIPELINE_BATCH_ROWS) continue;
        counters.rowsRead += batch.length;
        yield batch;
        batch = [];
        await checkpoint();
        pacer.restart();
      }
    }
    counters.rowsRead += batch.length;
    if (batch.length > 0) yield batch;
  }

  /** The row goes. To be called in the order of the scan. */
  remove(row: PlacedRow): void {
    this.removed.add(row);
    this.last = row;
    this.marked?.add(row.age, row.row);
  }

  /** A measurement comes. @throws CommandError when it is none */
  add(document: RawDocument): void {
    const { options: { timeField, metaField }, metas } = this.table;
    const { payload, errors } = prepareMeasurements([document], true, timeField, metaField, metas);
    if (errors[0] !== undefined) throw errors[0].error;
    assert(payload !== undefined, "a measurement without an error was accepted");
    this.added.bytes(payload.subarray(documentsStart(payload)));
  }

  /** An insert goes to the log now, before this change does. */
  noteInsert(payload: Uint8Array): void {
    visitInsert(this.table, payload, this.noteArrival);
  }

  private readonly noteArrival = (series: number, time: number): void => {
    const times = this.arrivals.get(series);
    if (times === undefined) this.arrivals.set(series, [time]);
    else times.push(time);
  };

  /** What goes into the log for all that was gathered; undefined when that is nothing. Gathers anew then. */
  take(): TakenChange | undefined {
    if (this.removed.isEmpty && this.added.length === 0) return undefined;
    const { bytes, hasLongSpans } = this.removed.take();
    const removed = hasLongSpans && this.arrivals.size > 0 ? this.cutAtArrivals(bytes) : bytes;
    const payload = encodeChange(removed, this.added.written());
    const { added, marked } = this;
    this.added = new ByteWriter();
    // The next part of a large change finds other masks.
    this.marked = undefined;
    // What one part of a large change adds must not fall into the spans of the next.
    if (added.length > 0) this.noteAdded(added.written());
    this.forgetArrivalsBehind();
    return { payload, marked };
  }

  private noteAdded(documents: Uint8Array): void {
    const { options: { timeField, metaField }, index } = this.table;
    visitMeasurements(documents, 0, timeField, metaField, index, this.noteArrival);
  }

  /** Forgets arrivals before the row that went last: no span to come holds them. */
  private forgetArrivalsBehind(): void {
    const { last, arrivals } = this;
    if (last === undefined) return;
    for (const series of arrivals.keys()) {
      if (series < last.series) arrivals.delete(series);
    }
    const times = arrivals.get(last.series);
    if (times !== undefined) arrivals.set(last.series, times.filter((time) => time >= last.time));
  }

  private cutAtArrivals(bytes: Uint8Array): Uint8Array {
    for (const times of this.arrivals.values()) times.sort((a, b) => a - b);
    const out = new SpanWriter();
    for (const block of readSpans(new ByteReader(bytes))) {
      for (let i = 0; i < block.count; i++) this.cutSpan(block, i, out);
    }
    return out.take();
  }

  private cutSpan(block: SpanBlock, i: number, out: SpanWriter): void {
    const series = block.series[i]!;
    let fromMs = block.fromMs[i]!;
    let fromOrdinal = block.fromOrdinals[i]!;
    const toMs = block.toMs[i]!;
    const times = this.arrivals.get(series) ?? [];
    for (let at = firstAtLeast(times, fromMs); at < times.length && times[at]! < toMs; at++) {
      const time = times[at]!;
      if (time < fromMs) continue;
      out.add(series, fromMs, fromOrdinal, time, this.rowsAt(series, time) - 1);
      fromMs = time + 1;
      fromOrdinal = 0;
    }
    out.add(series, fromMs, fromOrdinal, toMs, block.toOrdinals[i]!);
  }

  /** How many rows of a series and time there were when the scan began. */
  private rowsAt(series: number, time: number): number {
    const request = { timeRange: { fromMs: time, toMs: time }, counters: newCounters() };
    const window = new SourceWindow(sourcesOf(this.snapshot!, request));
    const heap = mergedRuns(window.sourcesOf(series), series);
    let rows = 0;
    for (; heap.top() !== undefined; rows++) heap.advanceTop();
    return rows;
  }
}

function newCounters() {
  return {
    seriesScanned: 0,
    seriesMatched: 0,
    segmentsRead: 0,
    segmentsSkipped: 0,
    pagesRead: 0,
    pagesSkipped: 0,
    rowsRead: 0,
  };
}
