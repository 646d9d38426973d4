/** The rows of one series that have its earliest or its latest time: for the newest value of each device and its like. */
import type { Document } from "../../bson/mod.ts";
import type { Direction, Run } from "./run.ts";
import { RunHeap } from "./run_heap.ts";
import { documentOf } from "./stored_document.ts";

/** Which ends are asked for. */
export interface SeriesEnds {
  readonly earliest: boolean;
  readonly latest: boolean;
}

/** What may hold rows of the series. */
export interface EndSource {
  /** No row is before or after. */
  readonly minTime: number;
  readonly maxTime: number;
  run(series: number, direction: Direction): Run | undefined;
}

/** The rows at the ends of a series in order of time; those of one time in the order of their arrival. */
export function rowsAtEnds(sources: readonly EndSource[], series: number, ends: SeriesEnds): Document[] {
  const earliest = ends.earliest ? endOf(sources, series, 1) : undefined;
  if (!ends.latest) return earliest?.rows ?? [];
  const latest = endOf(sources, series, -1);
  if (earliest === undefined || latest?.time === earliest.time) return latest?.rows.reverse() ?? [];
  return [...earliest.rows, ...latest!.rows.reverse()];
}

interface End {
  readonly time: number;
  readonly rows: Document[];
}

/** The rows of the first time that a reader in that direction meets, in its order; undefined when there are none. */
function endOf(sources: readonly EndSource[], series: number, direction: Direction): End | undefined {
  const bound = (source: EndSource) => direction === 1 ? source.minTime : source.maxTime;
  const heap = new RunHeap(direction);
  for (const source of sources.toSorted((a, b) => (bound(a) - bound(b)) * direction)) {
    const best = heap.top()?.time;
    // What begins behind the best row found cannot hold a better one, nor can all sources after it.
    if (best !== undefined && (bound(source) - best) * direction > 0) break;
    const run = source.run(series, direction);
    if (run !== undefined) heap.push(run);
  }
  const first = heap.top();
  if (first === undefined) return undefined;
  const { time } = first;
  const rows: Document[] = [];
  for (let run = heap.top(); run?.time === time; run = heap.top()) {
    rows.push(documentOf(run.source, run.row));
    heap.advanceTop();
  }
  return { time, rows };
}
