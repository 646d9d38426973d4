/** `$sample`: rows drawn at random, without repetition (reservoir sampling, Vitter's algorithm R, then shuffled). */
import { CommandError } from "../../base/mod.ts";
import { Document, isNumber, type Value } from "../../bson/mod.ts";
import type { QueryContext } from "../context.ts";
import { toDouble } from "../filter/argument.ts";
import { MemoryMeter } from "../memory.ts";
import { inBatches } from "../rows.ts";
import type { Rows } from "../source.ts";
import { SORT_MEMORY_MESSAGE } from "./sort.ts";

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

export async function* runSample(stage: SampleStage, input: Rows, context: QueryContext): Rows {
  if (stage.size === 0) return;
  const meter = new MemoryMeter(SORT_MEMORY_MESSAGE, context.memory);
  const chosen: Document[] = [];
  let seen = 0;
  for await (const batch of input) {
    for (const row of batch) {
      seen++;
      if (chosen.length < stage.size) {
        meter.addRow(row);
        chosen.push(row);
      } else {
        const place = Math.floor(Math.random() * seen);
        if (place < stage.size) chosen[place] = row;
      }
    }
    await context.checkpoint();
  }
  shuffle(chosen);
  yield* inBatches(chosen, context);
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
