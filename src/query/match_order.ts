/**
 * `$match` as early as the same rows come out: before stages that neither make rows nor change what it reads, so that it
 * becomes a condition of the scan or spares work. Of several conditions each goes as far as it may by itself; those that come to
 * stand side by side become one stage.
 */
import { BuiltDocument } from "../bson/mod.ts";
import { fieldsOfFilter } from "./filter/fields.ts";
import { allOf, conjunctsOf, type Filter } from "./filter/filter.ts";
import { renderFilter } from "./filter/render.ts";
import type { Stage } from "./pipeline.ts";
import type { MatchStage } from "./stage/match.ts";

export function matchesFirst(stages: readonly Stage[]): readonly Stage[] {
  const first = stages.findIndex(({ kind }) => kind !== "match");
  if (first < 0) return joined(stages);
  // Those that lead stay where they are.
  const ordered = stages.slice(0, first);
  for (let i = first; i < stages.length; i++) {
    const stage = stages[i]!;
    if (stage.kind === "match") insertMatch(ordered, stage);
    else ordered.push(stage);
  }
  return joined(ordered);
}

function joined(stages: readonly Stage[]): readonly Stage[] {
  const result: Stage[] = [];
  for (const stage of stages) {
    const before = result.at(-1);
    if (stage.kind !== "match" || before?.kind !== "match") result.push(stage);
    else result[result.length - 1] = join(before, stage);
  }
  return result;
}

function join(a: MatchStage, b: MatchStage): MatchStage {
  const partsOf = ({ filter }: MatchStage) => filter.kind === "and" ? filter.filters : [filter];
  return {
    kind: "match",
    filter: allOf([...partsOf(a), ...partsOf(b)]),
    source: BuiltDocument.of({ $and: [a.source, b.source] }),
  };
}

/** Puts the conditions where they may stand; those for one place stay one stage. */
function insertMatch(ordered: Stage[], match: MatchStage): void {
  const conjuncts = conjunctsOf(match.filter);
  const places = conjuncts.map((filter) => placeOf(filter, ordered));
  const end = ordered.length;
  if (places.every((place) => place === end)) {
    ordered.push(match);
    return;
  }
  // From the last place to the first: what is inserted moves nothing that is still to come.
  for (const place of [...new Set(places)].sort((a, b) => b - a)) {
    const together = conjuncts.filter((_, i) => places[i] === place);
    const isWhole = together.length === conjuncts.length;
    const filter = allOf(together);
    ordered.splice(place, 0, isWhole ? match : { kind: "match", filter, source: renderFilter(filter) });
  }
}

function placeOf(filter: Filter, ordered: readonly Stage[]): number {
  let place = ordered.length;
  const fields = isByChance(filter) ? undefined : fieldsOfFilter(filter);
  if (fields === undefined) return place;
  while (place > 0 && mayPass(fields, ordered[place - 1]!)) place--;
  // Behind the matches that stand there already.
  while (place < ordered.length && ordered[place]!.kind === "match") place++;
  return place;
}

/** Whether it gives a row another answer each time. */
function isByChance(filter: Filter): boolean {
  switch (filter.kind) {
    case "sampleRate":
      return true;
    case "and":
    case "or":
    case "nor":
      return filter.filters.some(isByChance);
    case "not":
      return isByChance(filter.filter);
    default:
      return false;
  }
}

/** Whether a stage leaves the rows, apart from their order, and these fields of them as they are. */
function mayPass(fields: ReadonlySet<string>, stage: Stage): boolean {
  switch (stage.kind) {
    case "match":
    case "sort":
      return true;
    case "unwind":
      return !fields.has(stage.path[0]!) && !fields.has(stage.indexPath?.[0] ?? stage.path[0]!);
    case "group":
      return fields.size === 0;
    case "lookup":
    case "graphLookup":
      return !fields.has(stage.as[0]!);
    case "project":
      if (stage.arrays.length > 0) return false;
      if (stage.mode !== "inclusion") return [...fields].every((field) => !stage.root.has(field));
      return [...fields].every((field) => stage.root.get(field)?.kind === "named");
    default:
      return false;
  }
}
