/** `$limit`: the first rows only; what feeds it is ended as soon as they are there. */
import { CommandError } from "../../base/mod.ts";
import type { Value } from "../../bson/mod.ts";
import { readNonNegativeInteger } from "../filter/argument.ts";
import type { Rows } from "../source.ts";

export interface LimitStage {
  readonly kind: "limit";
  readonly count: number;
}

export function parseLimit(value: Value): LimitStage {
  const count = readNonNegativeInteger("$limit", value);
  if (typeof count === "string") {
    throw new CommandError(5107201, `invalid argument to $limit stage: ${count}`);
  }
  if (count === 0n) throw new CommandError(15958, "the limit must be positive");
  return { kind: "limit", count: Number(count) };
}

export async function* runLimit(stage: LimitStage, input: Rows): Rows {
  let left = stage.count;
  for await (const batch of input) {
    if (batch.length >= left) {
      yield batch.length === left ? batch : batch.slice(0, left);
      return;
    }
    left -= batch.length;
    yield batch;
  }
}
