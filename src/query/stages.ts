/**
 * The stages by name: one sorted table. Those that MongoDB has and ChronoGo has not yet are in it too, with the error
 * that they give.
 */
import { CommandError, MAX_PIPELINE_STAGES } from "../base/mod.ts";
import { Document, type Value } from "../bson/mod.ts";
import type { ParseContext } from "./expression/expression.ts";
import type { Stage } from "./pipeline.ts";
import { parseAsofJoin } from "./stage/asof_join.ts";
import { parseBucket } from "./stage/bucket.ts";
import { parseBucketAuto } from "./stage/bucket_auto.ts";
import { parseCount } from "./stage/count.ts";
import { parseDensify } from "./stage/densify.ts";
import { parseDocuments } from "./stage/documents.ts";
import { parseFacet } from "./stage/facet.ts";
import { parseFill } from "./stage/fill.ts";
import { parseGeoNear } from "./stage/geo_near.ts";
import { parseGraphLookup } from "./stage/graph_lookup.ts";
import { parseGroup } from "./stage/group.ts";
import { parseLatest } from "./stage/latest.ts";
import { parseLimit } from "./stage/limit.ts";
import { parseLookup } from "./stage/lookup.ts";
import { parseMatch } from "./stage/match.ts";
import { parseMerge } from "./stage/merge.ts";
import { parseOut } from "./stage/out.ts";
import { parseAddFields, parseProject, parseUnset } from "./stage/project.ts";
import { parseRedact } from "./stage/redact.ts";
import { parseReplaceRoot, parseReplaceWith } from "./stage/replace_root.ts";
import { parseSample } from "./stage/sample.ts";
import { parseSetWindowFields } from "./stage/set_window_fields.ts";
import { parseSkip } from "./stage/skip.ts";
import { parseSort } from "./stage/sort.ts";
import { parseSortByCount } from "./stage/sort_by_count.ts";
import { parseTimeWindow } from "./stage/parse_time_window.ts";
import { parseUnionWith } from "./stage/union_with.ts";
import { parseUnwind } from "./stage/unwind.ts";
import { NO_SEARCH, NO_SEARCH_INDEXES } from "./search_service.ts";

/** A stage's specification to its nodes: some stages are written as others. */
type StageParser = (value: Value, context: ParseContext) => Stage | readonly Stage[];

/** Known to MongoDB, not yet here. */
const missing = (name: string): StageParser => () => {
  throw new CommandError("NotImplemented", `the pipeline stage ${name} is not yet supported`);
};

/** Stages of the search service, which is none of MongoDB's own. */
const searching = (message: string): StageParser => () => {
  throw new CommandError("SearchNotEnabled", message);
};

const inStreamOnly = (name: string): StageParser => () => {
  throw new CommandError("IllegalOperation", `${name} can only be used in a $changeStream pipeline`);
};

/** The rows of these are the server's to make: they cannot come from here. */
const atTopOnly = (name: string): StageParser => () => {
  throw new CommandError("NotImplemented", `${name} can only begin the pipeline of an aggregate command`);
};

/** Only as the first stage, on a database or of a kind of its own: no namespace for it is known here. */
const STAGES: Readonly<Record<string, StageParser>> = {
  $addFields: (value, context) => parseAddFields("$addFields", value, context),
  $asofJoin: (value, context) => parseAsofJoin(value, context, parseStages),
  $bucket: parseBucket,
  $bucketAuto: parseBucketAuto,
  $changeStream: atTopOnly("$changeStream"),
  $changeStreamSplitLargeEvent: inStreamOnly("$changeStreamSplitLargeEvent"),
  $collStats: atTopOnly("$collStats"),
  $count: parseCount,
  $currentOp: atTopOnly("$currentOp"),
  $densify: parseDensify,
  $documents: parseDocuments,
  $facet: (value, context) => parseFacet(value, (stages) => parseStages(stages, context)),
  $fill: parseFill,
  $geoNear: parseGeoNear,
  $graphLookup: parseGraphLookup,
  $group: parseGroup,
  $indexStats: atTopOnly("$indexStats"),
  $latest: parseLatest,
  $limit: parseLimit,
  $listLocalSessions: atTopOnly("$listLocalSessions"),
  $listSampledQueries: missing("$listSampledQueries"),
  $listSearchIndexes: searching(NO_SEARCH_INDEXES),
  $listSessions: atTopOnly("$listSessions"),
  $lookup: (value, context) => parseLookup(value, context, parseStages),
  $match: parseMatch,
  $merge: parseMerge,
  $out: parseOut,
  $planCacheStats: atTopOnly("$planCacheStats"),
  $project: parseProject,
  $querySettings: missing("$querySettings"),
  $queryStats: missing("$queryStats"),
  $redact: parseRedact,
  $replaceRoot: parseReplaceRoot,
  $replaceWith: parseReplaceWith,
  $sample: parseSample,
  $search: searching(NO_SEARCH),
  $searchMeta: searching(NO_SEARCH),
  $set: (value, context) => parseAddFields("$set", value, context),
  $setWindowFields: parseSetWindowFields,
  $shardedDataDistribution: missing("$shardedDataDistribution"),
  $skip: parseSkip,
  $sort: parseSort,
  $sortByCount: parseSortByCount,
  $timeWindow: parseTimeWindow,
  $unionWith: (value, context) => parseUnionWith(value, context, parseStages),
  $unset: parseUnset,
  $unwind: parseUnwind,
  $vectorSearch: searching(NO_SEARCH),
};

/**
 * Parses the stages of a pipeline.
 *
 * @param from the first to be parsed: those before are for others to run
 * @throws CommandError with MongoDB's code and wording
 */
export function parseStages(
  values: readonly Value[],
  context: ParseContext,
  from = 0,
): readonly Stage[] {
  if (values.length > MAX_PIPELINE_STAGES) {
    throw new CommandError(7749501, `Pipeline length must be no longer than ${MAX_PIPELINE_STAGES} stages`);
  }
  const named = values.map(namedStage);
  // What a stage that writes is given is read before all else.
  for (const [name, specification] of named) {
    if (LAST_ONLY.has(name)) STAGES[name]!(specification, context);
  }
  const stages: Stage[] = [];
  named.forEach(([name, specification], i) => {
    if (i < from || isMisplaced(name, i)) return;
    const parsed = STAGES[name]!(specification, context);
    if ("kind" in parsed) stages.push(parsed);
    else stages.push(...parsed);
  });
  named.forEach(([name], i) => checkPosition(name, i, named.length));
  return stages;
}

/** Stages that bring their own rows. */
const FIRST_ONLY: ReadonlySet<string> = new Set([
  "$changeStream",
  "$collStats",
  "$currentOp",
  "$documents",
  "$indexStats",
  "$listLocalSessions",
  "$listSessions",
  "$planCacheStats",
]);
/** Stages that give no rows. */
const LAST_ONLY: ReadonlySet<string> = new Set(["$merge", "$out"]);

function isMisplaced(name: string, index: number): boolean {
  return index > 0 && isFirstOnly(name);
}

function checkPosition(name: string, index: number, count: number): void {
  if (isMisplaced(name, index)) {
    throw new CommandError(40602, `${name} is only valid as the first stage in a pipeline`);
  }
  if (index < count - 1 && LAST_ONLY.has(name)) {
    throw new CommandError(40601, `${name} can only be the final stage in the pipeline`);
  }
}

/** The name of a stage that there is, and what stands behind it. @throws CommandError */
export function namedStage(value: Value): readonly [string, Value] {
  if (!(value instanceof Document)) {
    throw new CommandError("TypeMismatch", "Each element of the 'pipeline' array must be an object");
  }
  const names = value.names();
  if (names.length !== 1) {
    throw new CommandError(
      40323,
      "A pipeline stage specification object must contain exactly one field.",
    );
  }
  const name = names[0]!;
  if (!Object.hasOwn(STAGES, name)) {
    throw new CommandError(40324, `Unrecognized pipeline stage name: '${name}'`);
  }
  return [name, value.values()[0]];
}

/** Whether a stage can only begin a pipeline. */
export function isFirstOnly(name: string): boolean {
  return FIRST_ONLY.has(name);
}

/** The names of all stages that are known, those that are missing included, sorted. */
export function stageNames(): readonly string[] {
  return Object.keys(STAGES);
}
