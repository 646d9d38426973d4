/**
 * Rows as documents, series by series, each in order of time: those that pass a condition on columns. Once more than a few
 * rows were asked for, a row group that nothing overlaps is read page by page, whatever series are in it: rows lie in it in
 * that order.
 */
import { PIPELINE_BATCH_ROWS, takeLongWork } from "../../../base/mod.ts";
import type { Document } from "../../../bson/mod.ts";
import type { Pacer } from "../scan_pacer.ts";
import type { TableSnapshot } from "../table_snapshot.ts";
import type { TimeseriesScan } from "../scan_request.ts";
import { RowFilter } from "./condition.ts";
import { SeriesRuns, type Slice } from "./series_runs.ts";
import { addDocuments } from "./slice_source.ts";
import { SeriesSources } from "./series_sources.ts";
import type { SeriesSet } from "../series_set.ts";

const NO_PATHS: readonly (readonly string[])[] = [];
/** Rows that are looked at between two looks at the clock, and what a series counts as beside its rows. */
const ROWS_BETWEEN_LOOKS = 4096;
const SERIES_ROWS = 64;
const ANY_TIMES = () => true;

/** @param matched the series whose rows are asked for; undefined for all */
export async function* scanSlices(
  snapshot: TableSnapshot,
  request: TimeseriesScan,
  matched: SeriesSet | undefined,
  pacer: Pacer,
): AsyncGenerator<readonly Document[], void, undefined> {
  const { condition, counters } = request;
  const sources = new SeriesSources(snapshot, request, matched, condition?.paths ?? NO_PATHS, "documents");
  const filter = condition &&
    new RowFilter(condition.condition, (series) => snapshot.index.sharedMetaOf(series));
  const slices = new SeriesRuns();
  const areAlike = matched === undefined && filter?.dependsOnSeries !== true;
  let batch: Document[] = [];
  let work = 0;
  let seen = 0;
  let slicesSeen = 0;
  let slicesKept = 0;
  for (let series = 0;; series++) {
    series = sources.nextSeries(series);
    if (series >= snapshot.seriesCount) break;
    const prefetch = sources.prefetch(series);
    if (prefetch !== undefined) await prefetch;
    const many = areAlike && seen >= PIPELINE_BATCH_ROWS
      ? sources.runOfMany(series, ANY_TIMES, true)
      : undefined;
    slices.enter(many === undefined ? sources.runsOf(series) : [many.run]);
    filter?.enter(series);
    if (many !== undefined) series = many.last;
    for (let slice = slices.next(); slice !== undefined; slice = slices.next()) {
      const count = slice.to - slice.from;
      counters.rowsRead += count;
      seen += count;
      work += count;
      const { needsRows } = slice.source;
      for (let rest: Slice | undefined = slice; rest !== undefined;) {
        const kept = filter === undefined || needsRows ? rest : filter.apply(rest);
        const end: number = filter === undefined || needsRows ? rest.to : rest.from + filter.judgedCount;
        slicesSeen++;
        if (kept !== undefined) slicesKept++;
        sources.areRowsRead = slicesKept * 2 >= slicesSeen;
        if (kept !== undefined) {
          const { source, rows, from, to } = kept;
          if (seen >= PIPELINE_BATCH_ROWS) {
            source.expectDocuments?.(
              rows === undefined ? from : rows[from]!,
              rows === undefined ? to : rows[to - 1]! + 1,
            );
          }
          for (let at = from; at < to;) {
            if (needsRows && condition !== undefined) {
              const document = source.documentAt(rows === undefined ? at : rows[at]!);
              at++;
              if (condition.matches(document)) batch.push(document);
              if (takeLongWork()) await pacer.restIfDue();
            } else {
              const next = Math.min(to, at + PIPELINE_BATCH_ROWS - batch.length);
              addDocuments(source, rows, at, next, batch);
              at = next;
            }
            if (batch.length < PIPELINE_BATCH_ROWS) continue;
            yield batch;
            batch = [];
          }
        }
        if (filter?.tookLong) await pacer.restIfDue();
        rest = end < rest.to ? { ...rest, from: end } : undefined;
      }
      if (work > ROWS_BETWEEN_LOOKS) {
        work = 0;
        await pacer.restIfDue();
      }
    }
    work += SERIES_ROWS;
    seen += SERIES_ROWS;
  }
  if (batch.length > 0) yield batch;
}
