/** Where `{ $meta: "sortKey" }` is asked for: sorts that have to note it, and projections that have no sort to ask. */
import { CommandError } from "../base/mod.ts";
import { readsSortKey } from "./expression/meta.ts";
import type { Stage } from "./pipeline.ts";
import type { SortStage } from "./stage/sort.ts";

/** Behind each sort whose keys are read before the next one, the stage that notes them. */
export function withSortKeys(stages: readonly Stage[]): readonly Stage[] {
  return stages.flatMap((stage, i): readonly Stage[] => {
    return stage.kind === "sort" && isKeyRead(stages, i) ? [stage, keyOf(stage)] : [stage];
  });
}

/** Whether the keys of the sort at `at` are read before the next one. */
export function isKeyRead(stages: readonly Stage[], at: number): boolean {
  for (let i = at + 1; i < stages.length && stages[i]!.kind !== "sort"; i++) {
    if (readsSortKey(stages[i])) return true;
  }
  return false;
}

/** What notes the keys of a sort. */
export function keyOf({ parts }: SortStage): Stage {
  return { kind: "sortKey", parts };
}

/** MongoDB projects before other stages as find does, and so refuses what find refuses. @throws CommandError BadValue */
export function checkSortKeys(stages: readonly Stage[]): void {
  const first = stages.find(({ kind }) => kind !== "match" && kind !== "skip" && kind !== "limit");
  if (first?.kind === "project" && first.name === "$project" && readsSortKey(first)) throw noSort();
}

export function noSort(): CommandError {
  return new CommandError("BadValue", "cannot use sortKey $meta projection without a sort");
}
