/**
 * `$sort`, alone or with the `$limit` behind it. The sort is stable. With a limit of k only about 2k rows are held:
 * whenever there are more, they are sorted and cut, and rows behind the k-th are dropped at once from then on.
 */
import { CommandError, PIPELINE_BATCH_ROWS } from "../../base/mod.ts";
import { Document, isNumber, type Value } from "../../bson/mod.ts";
import type { QueryContext } from "../context.ts";
import { elementText } from "../element_text.ts";
import { parseFieldPath } from "../expression/field_path.ts";
import { toDouble } from "../filter/argument.ts";
import { MemoryMeter } from "../memory.ts";
import { inBatches } from "../rows.ts";
import type { Rows } from "../source.ts";
import { keyOrder, type SortKey, sortKeyReader, type SortPart } from "./sort_key.ts";

export const SORT_MEMORY_MESSAGE =
  "Sort exceeded memory limit of 104857600 bytes, but did not opt in to external sorting.";

export interface SortStage {
  readonly kind: "sort";
  readonly parts: readonly SortPart[];
  /** Rows that are wanted; undefined for all. */
  readonly limit: number | undefined;
}

export function parseSort(value: Value): SortStage {
  if (!(value instanceof Document)) {
    throw new CommandError(15973, "the $sort key specification must be an object");
  }
  if (value.isEmpty()) throw new CommandError(15976, "$sort stage must have at least one sort key");
  return { kind: "sort", parts: parseSortParts(value), limit: undefined };
}

/** The parts of a sort's specification, as find and `$sort` share it. */
export function parseSortParts(document: Document): readonly SortPart[] {
  const values = document.values();
  return document.names().map((name, i) => parseSortPart(name, values[i]));
}

function parseSortPart(name: string, value: Value): SortPart {
  if (value instanceof Document) throw metaError(value);
  if (!isNumber(value)) {
    throw new CommandError(15974, `Illegal key in $sort specification: ${elementText(name, value)}`);
  }
  const path = parseFieldPath(name);
  const direction = Math.trunc(toDouble(value));
  if (direction !== 1 && direction !== -1) {
    throw new CommandError(
      15975,
      "$sort key ordering must be 1 (for ascending) or -1 (for descending)",
    );
  }
  return { path, descending: direction < 0 };
}

function metaError(value: Document): CommandError {
  if (value.names()[0] !== "$meta") {
    return new CommandError(17312, "$meta is the only expression supported by $sort right now");
  }
  const meta = value.get("$meta");
  if (meta === "textScore") {
    return new CommandError(40218, "query requires text score metadata, but it is not available");
  }
  if (meta === "searchScore" || meta === "geoNearDistance" || meta === "randVal") {
    return new CommandError("NotImplemented", `a $meta sort on "${meta}" is not yet supported`);
  }
  return new CommandError(31138, `Illegal $meta sort: ${elementText("$meta", meta)}`);
}

interface Entry {
  readonly key: SortKey;
  readonly row: Document;
  readonly bytes: number;
}

export async function* runSort(stage: SortStage, input: Rows, context: QueryContext): Rows {
  const limit = stage.limit ?? Infinity;
  const readKey = sortKeyReader(stage.parts);
  const order = keyOrder(stage.parts);
  const meter = new MemoryMeter(SORT_MEMORY_MESSAGE);
  const byKey = (a: Entry, b: Entry) => order(a.key, b.key);
  const cutAt = Math.max(limit * 2, PIPELINE_BATCH_ROWS);
  let entries: Entry[] = [];
  let worst: SortKey | undefined;
  for await (const batch of input) {
    for (const row of batch) {
      const key = readKey(row);
      if (worst !== undefined && order(key, worst) >= 0) continue;
      entries.push({ key, row, bytes: meter.addRow(row) });
      if (entries.length >= cutAt) {
        entries = cut(entries.sort(byKey), limit, meter);
        worst = entries[limit - 1]!.key;
      }
    }
    await context.checkpoint();
  }
  entries = cut(entries.sort(byKey), limit, meter);
  yield* inBatches(entries.map((entry) => entry.row), context);
}

function cut(entries: Entry[], limit: number, meter: MemoryMeter): Entry[] {
  if (entries.length <= limit) return entries;
  for (let i = limit; i < entries.length; i++) meter.release(entries[i]!.bytes);
  return entries.slice(0, limit);
}
