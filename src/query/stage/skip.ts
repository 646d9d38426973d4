/** `$skip`: all but the first rows. */
import { CommandError } from "../../base/mod.ts";
import type { Value } from "../../bson/mod.ts";
import type { QueryContext } from "../context.ts";
import { readNonNegativeInteger } from "../filter/argument.ts";
import { mapBatches } from "../rows.ts";
import type { Rows } from "../source.ts";

export interface SkipStage {
  readonly kind: "skip";
  readonly count: number;
}

export function parseSkip(value: Value): SkipStage {
  const count = readNonNegativeInteger("$skip", value);
  if (typeof count === "string") {
    throw new CommandError(5107200, `invalid argument to $skip stage: ${count}`);
  }
  return { kind: "skip", count: Number(count) };
}

export function runSkip(stage: SkipStage, input: Rows, context: QueryContext): Rows {
  let left = stage.count;
  return mapBatches(input, context, (batch) => {
    if (left === 0) return batch;
    const skipped = Math.min(left, batch.length);
    left -= skipped;
    return batch.slice(skipped);
  });
}
