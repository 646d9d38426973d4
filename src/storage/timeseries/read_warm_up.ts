/**
 * Reads stored pages after the start until the engine has compiled what reads them: otherwise the first queries spend up
 * to half of their time in code that is still interpreted. The pages are those of the store's own tables, newest first, so
 * that the compiler sees the codecs and types that queries will meet; what is read is thrown away.
 *
 * It works some milliseconds at a time with longer rests between, and not for long in all. Single blocks are read, and row
 * groups opened for each page: what runs once a page is to run often, loops are hot soon.
 */
import type { Logger } from "../../base/mod.ts";
import type { Clock } from "../../io/mod.ts";
import { FIRST_COLUMN_PAGES, pageCount, TIME_PAGES, WHOLE_PAGES } from "./row_group.ts";
import type { TableSnapshot } from "./table_snapshot.ts";
import type { Segment } from "./segment.ts";
import type { RowGroupEntry } from "./segment_format.ts";
import type { TableNames } from "./shape.ts";

/** A process that lives shorter spends nothing. */
const DELAY_MS = 300;
const WORK_MS = 3;
const REST_MS = 12;
const TOTAL_WORK_MS = 250;
/** More tables than this have nothing new to show. */
const MAX_TABLES = 32;

export class ReadWarmUp {
  private cancel: () => void = () => {};

  /** @param snapshots what there is to read, asked for when it begins */
  constructor(
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly snapshots: () => Iterable<TableSnapshot>,
  ) {}

  start(): void {
    this.cancel = this.clock.after(DELAY_MS, () => this.work(readPages(this.snapshots()), TOTAL_WORK_MS));
  }

  stop(): void {
    this.cancel();
  }

  /** Works for a moment, and goes on after a rest. */
  private work(pages: Generator<void>, leftMs: number): void {
    const started = this.clock.monotonicMs();
    let spentMs = 0;
    try {
      while (spentMs < WORK_MS) {
        if (pages.next().done) return;
        spentMs = this.clock.monotonicMs() - started;
      }
    } catch (error) {
      // Nobody has asked for what cannot be read: who does will be told.
      this.logger.warn("stopped warming up at a page that cannot be read", { error: String(error) });
      return;
    }
    if (spentMs < leftMs) this.cancel = this.clock.after(REST_MS, () => this.work(pages, leftMs - spentMs));
  }
}

interface StoredGroup {
  readonly segment: Segment;
  readonly entry: RowGroupEntry;
  readonly names: TableNames;
}

/** Reads a piece a step, of all tables in turn, and without an end where there are any. */
function* readPages(snapshots: Iterable<TableSnapshot>): Generator<void> {
  const tables = storedGroups(snapshots);
  for (let round = 0; tables.length > 0; round++) {
    for (const groups of tables) {
      const group = groups[round % groups.length]!;
      for (let page = 0; page < pageCount(group.entry.rows); page++) yield* readPage(group, page);
    }
  }
}

/** The row groups of each table that has any, newest first. */
function storedGroups(snapshots: Iterable<TableSnapshot>): StoredGroup[][] {
  const tables: StoredGroup[][] = [];
  for (const { segments, names } of snapshots) {
    const groups = segments.flatMap(({ segment, groups }) =>
      groups.map((entry) => ({ segment, entry, names }))
    );
    if (groups.length > 0) tables.push(groups.reverse());
    if (tables.length === MAX_TABLES) break;
  }
  return tables;
}

function* readPage({ segment, entry, names }: StoredGroup, number: number): Generator<void> {
  const group = segment.readRowGroup(entry, names);
  for (let column = 0; column < group.paths.length + FIRST_COLUMN_PAGES; column++) {
    const page = group.page(column, number);
    if (page.count === 0 || column === WHOLE_PAGES) continue;
    if (column === TIME_PAGES) segment.readTimes(page);
    else segment.openColumn(page, () => undefined).readRows(0, 1);
    yield;
  }
  if (entry.lastRowsBytes === 0) return;
  const lastRows = segment.readLastRows(entry, group.series.length);
  for (let column = 0; column < group.paths.length; column++) {
    if (lastRows.has(column)) lastRows.column(column);
  }
  yield;
}
