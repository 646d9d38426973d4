/** A collection in memory, as a source: for tests, and for pipelines that bring their own documents. */
import { PIPELINE_BATCH_ROWS } from "../base/mod.ts";
import { type Document, keyOf, UtcDate } from "../bson/mod.ts";
import type { Rows, ScanRequest, Source, SourceShape } from "./source.ts";

/** Serves documents from an array. It keeps the order and the range of times, the filter on series and their ends. */
export class ArraySource implements Source {
  /** The last request, so that tests see what was asked for. */
  lastRequest: ScanRequest | undefined;

  constructor(
    private readonly documents: readonly Document[],
    readonly shape: SourceShape = { kind: "documents" },
  ) {}

  async *scan(request: ScanRequest): Rows {
    this.lastRequest = request;
    const rows = this.shape.kind === "timeseries" ? this.measurements(request) : this.stored(request);
    for (let at = 0; at < rows.length; at += PIPELINE_BATCH_ROWS) {
      await request.checkpoint();
      const batch = rows.slice(at, at + PIPELINE_BATCH_ROWS);
      request.counters.rowsRead += batch.length;
      yield batch;
    }
  }

  private stored(request: ScanRequest): readonly Document[] {
    return request.backward === true ? this.documents.toReversed() : this.documents;
  }

  private measurements(request: ScanRequest): readonly Document[] {
    if (this.shape.kind !== "timeseries") return this.documents;
    const { timeField, metaField } = this.shape;
    const timeOf = (document: Document) => {
      const time = document.get(timeField);
      return time instanceof UtcDate ? time.ms : NaN;
    };
    const { fromMs, toMs } = request.timeRange ?? { fromMs: -Infinity, toMs: Infinity };
    const rows = this.documents.filter((document) => {
      const ms = timeOf(document);
      const meta = metaField === undefined ? undefined : document.get(metaField);
      return ms >= fromMs && ms <= toMs && (request.seriesFilter?.(meta) ?? true);
    });
    if (request.seriesEnds !== undefined) return this.ends(rows, request.seriesEnds, timeOf);
    const order = request.timeOrder;
    return order === undefined ? rows : rows.sort((a, b) => order * (timeOf(a) - timeOf(b)));
  }

  private ends(
    rows: readonly Document[],
    { earliest, latest }: NonNullable<ScanRequest["seriesEnds"]>,
    timeOf: (document: Document) => number,
  ): readonly Document[] {
    const metaField = this.shape.kind === "timeseries" ? this.shape.metaField : undefined;
    const series = Map.groupBy(
      rows,
      (row) => metaField === undefined ? undefined : keyOf(row.get(metaField)),
    );
    const kept = new Set<Document>();
    for (const own of series.values()) {
      const times = own.map(timeOf);
      const first = Math.min(...times);
      const last = Math.max(...times);
      own.forEach((row, i) => {
        if ((earliest && times[i] === first) || (latest && times[i] === last)) kept.add(row);
      });
    }
    return rows.filter((row) => kept.has(row));
  }
}
