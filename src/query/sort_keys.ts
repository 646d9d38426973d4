/** Where `{ $meta: "sortKey" }` is asked for: sorts that have to note it, and projections that have no sort to ask. */
import { CommandError } from "../base/mod.ts";
import { readsSortKey } from "./expression/meta.ts";
import type { Stage } from "./pipeline.ts";

/** Behind each sort whose keys are read before the next one, the stage that notes them. */
export function withSortKeys(stages: readonly Stage[]): readonly Stage[] {
  return stages.flatMap((stage, i): readonly Stage[] => {
    if (stage.kind !== "sort") return [stage];
    const behind = stages.slice(i + 1);
    const next = behind.findIndex(({ kind }) => kind === "sort");
    const readers = next < 0 ? behind : behind.slice(0, next);
    return readers.some(readsSortKey) ? [stage, { kind: "sortKey", parts: stage.parts }] : [stage];
  });
}

/** MongoDB projects before other stages as find does, and so refuses what find refuses. @throws CommandError BadValue */
export function checkSortKeys(stages: readonly Stage[]): void {
  const first = stages.find(({ kind }) => kind !== "match" && kind !== "skip" && kind !== "limit");
  if (first?.kind === "project" && first.name === "$project" && readsSortKey(first)) throw noSort();
}

export function noSort(): CommandError {
  return new CommandError("BadValue", "cannot use sortKey $meta projection without a sort");
}
