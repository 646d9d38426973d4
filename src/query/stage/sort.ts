/**
 * `$sort`, alone or with the `$limit` behind it. The sort is stable. With a limit of k only about 2k rows are held:
 * whenever there are more, they are sorted and cut, and rows behind the k-th are dropped at once from then on. What does
 * not fit in memory is put aside in sorted runs.
 */
import { CommandError, MADE_BATCH_ROWS, PIPELINE_BATCH_ROWS } from "../../base/mod.ts";
import { Document, type Value } from "../../bson/mod.ts";
import type { QueryContext } from "../context.ts";
import { collationOf, type ParseContext } from "../expression/expression.ts";
import { parseFieldPath } from "../expression/field_path.ts";
import { HeldRows } from "../held_rows.ts";
import { approximateBytes, MemoryMeter, SharedCopies } from "../memory.ts";
import { type KeyPart, sortedPlaces } from "../sorted_places.ts";
import { SortedRuns } from "../sorted_runs.ts";
import type { Rows } from "../source.ts";
import { ValueColumn } from "../value_column.ts";
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
  const sorting: Sorting = {
    readKey: sortKeyReader(stage.parts),
    parts: stage.parts,
    limit: stage.limit ?? Infinity,
    fields: stage.fields,
    memoryMessage: SORT_MEMORY_MESSAGE,
  };
  return sortedRows(sorting, input, context);
}

/** What to sort by, and how much of it is wanted. */
export interface Sorting {
  /** A value a part, which may be read of the row itself or of its copy. */
  readonly readKey: (row: Document) => SortKey;
  readonly parts: readonly KeyPart[];
  /** Rows that are wanted; Infinity for all. */
  readonly limit: number;
  /** The top-level fields of the rows that are wanted; undefined for all. */
  readonly fields: ReadonlySet<string> | undefined;
  /** Of the error where rows do not fit in memory and may not be put aside. */
  readonly memoryMessage: string;
}

/** The rows in order. @throws CommandError QueryExceededMemoryLimitNoDiskUseAllowed (292), OutOfDiskSpace */
export async function* sortedRows(sorting: Sorting, input: Rows, context: QueryContext): Rows {
  const { readKey, parts, limit } = sorting;
  const order = keyOrder(parts);
  const meter = new MemoryMeter(sorting.memoryMessage, context.memory);
  const runs = context.memory && new SortedRuns(context.memory, readKey, order);
  const cutAt = Math.max(limit * 2, PIPELINE_BATCH_ROWS);
  let held = new KeyedRows(sorting);
  let worst: SortKey | undefined;
  for await (const batch of input) {
    for (const row of batch) {
      const key = readKey(row);
      if (worst !== undefined && order(key, worst) >= 0) continue;
      const fits = meter.tryAdd(held.add(row, key));
      if (fits && held.length < cutAt) continue;
      const places = await held.sorted(context.checkpoint);
      if (places.length >= limit) worst = held.keyAt(places[limit - 1]!);
      if (places.length > limit) {
        const { bytes } = held;
        held = held.select(places.slice(0, limit));
        meter.release(bytes - held.bytes);
      }
      if (fits || meter.isHalfEmpty()) continue;
      if (runs === undefined || !meter.maySpill) throw meter.exceeded();
      await runs.add(held.rows(await held.sorted(context.checkpoint)), context);
      meter.reset();
      held = new KeyedRows(sorting);
    }
    await context.checkpoint();
  }
  const places = (await held.sorted(context.checkpoint)).slice(0, limit);
  if (runs !== undefined && !runs.isEmpty) {
    return yield* firstRows(runs.merged(held.rows(places), context), limit);
  }
  for (let at = 0; at < places.length; at += MADE_BATCH_ROWS) {
    await context.checkpoint();
    yield [...held.rows(places.slice(at, at + MADE_BATCH_ROWS))];
  }
}

/** Rows and what they are sorted by. */
class KeyedRows {
  /** What they take, about. */
  bytes = 0;
  private readonly held: HeldRows;
  /** By part. */
  private readonly keys: readonly ValueColumn[];
  private readonly copies: readonly SharedCopies[];

  constructor(private readonly sorting: Sorting) {
    this.held = new HeldRows(sorting.fields);
    this.keys = sorting.parts.map(() => new ValueColumn(approximateBytes));
    this.copies = sorting.parts.map(() => new SharedCopies());
  }

  get length(): number {
    return this.held.length;
  }

  /** @returns the bytes that it takes, about */
  add(row: Document, key: SortKey): number {
    let bytes = this.held.add(row);
    for (let i = 0; i < this.keys.length; i++) bytes += this.keys[i]!.push(this.copies[i]!.of(key[i]));
    this.bytes += bytes;
    return bytes;
  }

  keyAt(place: number): SortKey {
    return this.keys.map((column) => column.at(place));
  }

  /** All places in order. */
  sorted(pause: () => Promise<void>): Promise<readonly number[]> {
    return sortedPlaces(this.keys, this.sorting.parts, pause);
  }

  *rows(places: readonly number[]): Iterable<Document> {
    for (const place of places) yield this.held.at(place);
  }

  /** A copy of the rows at some places. */
  select(places: readonly number[]): KeyedRows {
    const selected = new KeyedRows(this.sorting);
    for (const place of places) selected.add(this.held.at(place), this.keyAt(place));
    return selected;
  }
}

async function* firstRows(rows: Rows, limit: number): Rows {
  let left = limit;
  for await (const batch of rows) {
    yield batch.length <= left ? batch : batch.slice(0, left);
    left -= batch.length;
    if (left <= 0) return;
  }
}
