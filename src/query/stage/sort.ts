/**
 * `$sort`, alone or with the `$limit` behind it. The sort is stable. With a limit of k only about 2k rows are held:
 * whenever there are more, they are sorted and cut, and rows behind the k-th are dropped at once from then on. What does
 * not fit in memory is put aside in sorted runs.
 */
import { CommandError, PIPELINE_BATCH_ROWS } from "../../base/mod.ts";
import { Document, type Value } from "../../bson/mod.ts";
import type { QueryContext } from "../context.ts";
import { collationOf, type ParseContext } from "../expression/expression.ts";
import { parseFieldPath } from "../expression/field_path.ts";
import { detachedRow, MemoryMeter, RowCopies } from "../memory.ts";
import { batchesOf } from "../rows.ts";
import { sortInTurns } from "../sort_in_turns.ts";
import { SortedRuns } from "../sorted_runs.ts";
import type { Rows } from "../source.ts";
import { parseSortOrder } from "./sort_order.ts";
import { keyOrder, type SortKey, sortKeyReader, type SortPart } from "./sort_key.ts";

export const SORT_MEMORY_MESSAGE =
  "Sort exceeded memory limit of 104857600 bytes, but did not opt in to external sorting.";

export interface SortStage {
  readonly kind: "sort";
  readonly parts: readonly SortPart[];
  /** Rows that are wanted; undefined for all. */
  readonly limit: number | undefined;
  /** The top-level fields that this stage and those behind it read; undefined for whole rows. */
  readonly fields?: ReadonlySet<string>;
}

export function parseSort(value: Value, context: ParseContext): SortStage {
  if (!(value instanceof Document)) {
    throw new CommandError(15973, "the $sort key specification must be an object");
  }
  if (value.isEmpty()) throw new CommandError(15976, "$sort stage must have at least one sort key");
  return { kind: "sort", parts: parseSortParts(value, context), limit: undefined };
}

/** The parts of a sort's specification, as find and `$sort` share it. */
export function parseSortParts(document: Document, context: ParseContext): readonly SortPart[] {
  const values = document.values();
  const shared = collationOf(context);
  return document.names().map((name, i) => ({ ...parseSortPart(name, values[i]), ...shared }));
}

function parseSortPart(name: string, value: Value): SortPart {
  const order = parseSortOrder(name, value);
  if (order === "randVal") return BY_CHANCE;
  return { path: parseFieldPath(name), descending: order < 0 };
}

/** No field's name begins so. */
const BY_CHANCE: SortPart = { path: ["$randVal"], descending: true, byChance: true };

export function runSort(stage: SortStage, input: Rows, context: QueryContext): Rows {
  const sorting: Sorting<SortKey> = {
    readKey: sortKeyReader(stage.parts),
    order: keyOrder(stage.parts),
    limit: stage.limit ?? Infinity,
    fields: stage.fields,
    memoryMessage: SORT_MEMORY_MESSAGE,
  };
  return sortedRows(sorting, input, context);
}

/** What to sort by, and how much of it is wanted. */
export interface Sorting<Key> {
  readonly readKey: (row: Document) => Key;
  readonly order: (a: Key, b: Key) => number;
  /** Rows that are wanted; Infinity for all. */
  readonly limit: number;
  /** The top-level fields of the rows that are wanted; undefined for all. */
  readonly fields: ReadonlySet<string> | undefined;
  /** Of the error where rows do not fit in memory and may not be put aside. */
  readonly memoryMessage: string;
}

interface Entry<Key> {
  readonly key: Key;
  readonly row: Document;
  readonly bytes: number;
}

/** The rows in order. @throws CommandError QueryExceededMemoryLimitNoDiskUseAllowed (292), OutOfDiskSpace */
export async function* sortedRows<Key>(sorting: Sorting<Key>, input: Rows, context: QueryContext): Rows {
  const { readKey, order, limit, fields } = sorting;
  const meter = new MemoryMeter(sorting.memoryMessage, context.memory);
  const runs = context.memory && new SortedRuns(context.memory, readKey, order);
  const byKey = (a: Entry<Key>, b: Entry<Key>) => order(a.key, b.key);
  const cutAt = Math.max(limit * 2, PIPELINE_BATCH_ROWS);
  // With a limit a few rows of many are held, and one would keep the buffer of all that were copied beside it.
  const copies = limit === Infinity ? new RowCopies() : undefined;
  let entries: Entry<Key>[] = [];
  let worst: Key | undefined;
  for await (const batch of input) {
    for (const row of batch) {
      const key = readKey(row);
      if (worst !== undefined && order(key, worst) >= 0) continue;
      const bytes = meter.rowBytes(row) + ENTRY_BYTES;
      const fits = meter.tryAdd(bytes);
      const held = copies?.copyOf(row, fields) ?? detachedRow(row, fields);
      entries.push({ key, row: held, bytes });
      if (fits && entries.length < cutAt) continue;
      entries = cut(await sortInTurns(entries, byKey, context.checkpoint), limit, meter);
      if (entries.length >= limit) worst = entries[limit - 1]!.key;
      if (fits || meter.isHalfEmpty()) continue;
      if (runs === undefined || !meter.maySpill) throw meter.exceeded();
      await runs.add(entries.map((entry) => entry.row), context);
      meter.reset();
      entries = [];
    }
    await context.checkpoint();
  }
  const rows = cut(await sortInTurns(entries, byKey, context.checkpoint), limit, meter).map((entry) =>
    entry.row
  );
  if (runs !== undefined && !runs.isEmpty) return yield* firstRows(runs.merged(rows, context), limit);
  for (const batch of batchesOf(rows)) {
    await context.checkpoint();
    yield batch;
  }
}

/** What is held of a row beside its contents: its key and the objects around both. */
const ENTRY_BYTES = 192;

async function* firstRows(rows: Rows, limit: number): Rows {
  let left = limit;
  for await (const batch of rows) {
    yield batch.length <= left ? batch : batch.slice(0, left);
    left -= batch.length;
    if (left <= 0) return;
  }
}

function cut<Key>(entries: Entry<Key>[], limit: number, meter: MemoryMeter): Entry<Key>[] {
  if (entries.length <= limit) return entries;
  for (let i = limit; i < entries.length; i++) meter.release(entries[i]!.bytes);
  return entries.slice(0, limit);
}
