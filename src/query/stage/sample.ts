/**
 * `$sample`: rows drawn at random, without repetition (reservoir sampling, Vitter's algorithm R, then shuffled). A reservoir that does
 * not fit in memory becomes a sort by chance.
 */
import { CommandError } from "../../base/mod.ts";
import { Document, isNumber, type Value } from "../../bson/mod.ts";
import type { QueryContext } from "../context.ts";
import { toDouble } from "../filter/argument.ts";
import { KeyedRow, withoutKey } from "../keyed_row.ts";
import { detachedRow, MemoryMeter } from "../memory.ts";
import { inBatches, mapBatches } from "../rows.ts";
import type { Rows } from "../source.ts";
import { SORT_MEMORY_MESSAGE, sortedRows, type Sorting } from "./sort.ts";

export interface SampleStage {
  readonly kind: "sample";
  readonly size: number;
}

export function parseSample(value: Value): SampleStage {
  if (!(value instanceof Document)) {
    throw new CommandError(28745, "the $sample stage specification must be an object");
  }
  for (const name of value.names()) {
    if (name !== "size") throw new CommandError(28748, `unrecognized option to $sample: ${name}`);
  }
  const size = value.get("size");
  if (size === undefined) throw new CommandError(28749, "$sample stage must specify a size");
  if (!isNumber(size)) throw new CommandError(28746, "size argument to $sample must be a number");
  const count = Math.trunc(toDouble(size));
  if (!(count >= 0)) throw new CommandError(28747, "size argument to $sample must not be negative");
  return { kind: "sample", size: count };
}

export async function* runSample({ size }: SampleStage, input: Rows, context: QueryContext): Rows {
  if (size === 0) return;
  const meter = new MemoryMeter(SORT_MEMORY_MESSAGE, context.memory);
  const chosen: Document[] = [];
  let seen = 0;
  for await (const batch of input) {
    for (const [i, row] of batch.entries()) {
      const place = seen < size ? seen : Math.floor(Math.random() * (seen + 1));
      seen++;
      if (place < size) chosen[place] = detachedRow(row);
      if (seen > size || meter.tryAdd(meter.rowBytes(row))) continue;
      // Only while the reservoir fills, so all rows so far are in it.
      if (!meter.maySpill) throw meter.exceeded();
      meter.reset();
      return yield* firstByChance(size, allOf(chosen, batch.slice(i + 1), input), context);
    }
    await context.checkpoint();
  }
  shuffle(chosen);
  yield* inBatches(chosen, context);
}

async function* allOf(chosen: readonly Document[], batch: readonly Document[], rest: Rows): Rows {
  yield chosen;
  yield batch;
  yield* rest;
}

/** Fisher and Yates. */
function shuffle(rows: Document[]): void {
  for (let i = rows.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    const row = rows[i]!;
    rows[i] = rows[j]!;
    rows[j] = row;
  }
}

/** As many rows, the first of a sort by a random number for each, which puts aside what does not fit in memory. */
function firstByChance(size: number, input: Rows, context: QueryContext): Rows {
  const sorting: Sorting = {
    readKey: (row) => [chanceOf(row)],
    parts: [{ descending: false }],
    limit: size,
    fields: undefined,
    memoryMessage: SORT_MEMORY_MESSAGE,
  };
  const drawn = mapBatches(input, context, (batch) => batch.map(withChance));
  return mapBatches(sortedRows(sorting, drawn, context), context, (batch) => batch.map(withoutChance));
}

/** The number stands before what the row was sorted by already. */
function withChance(row: Document): Document {
  const key = row instanceof KeyedRow ? row.sortKey : [];
  return KeyedRow.of(row, [Math.random(), ...key]);
}

function chanceOf(row: Document): number {
  return (row as KeyedRow).sortKey[0] as number;
}

function withoutChance(row: Document): Document {
  const [, ...key] = (row as KeyedRow).sortKey;
  return key.length === 0 ? withoutKey(row) : KeyedRow.of(row, key);
}
