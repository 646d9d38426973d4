/** A `$lookup` and the `$unwind` of its array right behind it are one stage: no array is made, as in MongoDB. */
import type { Stage } from "./pipeline.ts";

export function withUnwoundLookups(stages: readonly Stage[]): readonly Stage[] {
  if (!stages.some(({ kind }) => kind === "lookup")) return stages;
  return stages.flatMap((stage, i): readonly Stage[] => {
    if (isUnwoundBefore(stage, stages[i - 1])) return [];
    const next = stages[i + 1];
    const unwinds = stage.kind === "lookup" && next?.kind === "unwind" && isUnwoundBefore(next, stage);
    return [unwinds ? { ...stage, unwind: next } : stage];
  });
}

function isUnwoundBefore(stage: Stage, before: Stage | undefined): boolean {
  return stage.kind === "unwind" && before?.kind === "lookup" && stage.path.join(".") === before.as.join(".");
}
