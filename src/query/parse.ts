/** From what the commands hold to pipelines: aggregate as it is; find, count and distinct written as one. */
import { CommandError } from "../base/mod.ts";
import { BuiltDocument, Document, isNumber, type Value } from "../bson/mod.ts";
import { renderDocument } from "./expression/message.ts";
import { collationOf, type ParseContext } from "./expression/expression.ts";
import { parseExpression } from "./expression/parse.ts";
import { compileExpression, fieldsOf } from "./expression/compile.ts";
import { readsMetadata, readsSortKey, SHOWN_METADATA } from "./expression/meta.ts";
import { parseFieldPath } from "./expression/field_path.ts";
import { toDouble } from "./filter/argument.ts";
import { type Filter, MATCH_ALL } from "./filter/filter.ts";
import { nearOf } from "./filter/near.ts";
import { parseFilter } from "./filter/parse.ts";
import { arrayOffset } from "./filter/path.ts";
import type { Pipeline, Stage } from "./pipeline.ts";
import { orderByDistance } from "./stage/geo_near.ts";
import type { MatchStage } from "./stage/match.ts";
import { parseFindProjection, type ProjectStage } from "./stage/project.ts";
import { ProjectionTree } from "./projection/tree.ts";
import type { ShownFields } from "./source.ts";
import { noSort } from "./sort_keys.ts";
import { parseSortParts } from "./stage/sort.ts";
import { parseStages } from "./stages.ts";

/** Nothing but the built-in variables. */
export const EMPTY_PARSE_CONTEXT: ParseContext = { variables: new Set() };

/** The field that holds the number in the result of a count's pipeline. */
export const COUNT_FIELD = "n";

/**
 * Parses the pipeline of an aggregate.
 *
 * @param from the first stage to be parsed: those before are for others to run
 * @throws CommandError with MongoDB's code and wording
 */
export function parsePipeline(
  stages: readonly Value[],
  context: ParseContext = EMPTY_PARSE_CONTEXT,
  from = 0,
): Pipeline {
  return { command: "aggregate", stages: parseStages(stages, context, from), ...collationOf(context) };
}

/** What find asks for, as the command holds it; types of the fields themselves are the command's to check. */
export interface FindSpec {
  readonly filter?: Document | undefined;
  readonly projection?: Document | undefined;
  readonly sort?: Document | undefined;
  /** Rows to leave out, a whole number not below zero. */
  readonly skip?: number | undefined;
  /** Rows at most; 0 and undefined for all. */
  readonly limit?: number | undefined;
  /** Keys of the index that leads to them stand for the documents; the projection does not count then. */
  readonly returnKey?: boolean | undefined;
  /** Documents show their places. */
  readonly showRecordId?: boolean | undefined;
}

/** Parses a find. @throws CommandError with MongoDB's code and wording */
export function parseFind(spec: FindSpec, context: ParseContext = EMPTY_PARSE_CONTEXT): Pipeline {
  const matches = matchStages(spec.filter, context);
  const stages: Stage[] = [...matches];
  const near = matches[0] && nearOf(matches[0].filter);
  if (spec.sort !== undefined && !isUnsorted(spec.sort)) stages.push(...sortStages(spec.sort, context));
  else if (near !== undefined) stages.push(...orderByDistance(near));
  stages.push(...rangeStages(spec.skip, spec.limit));
  let shown: ShownFields | undefined = spec.showRecordId === true ? { place: RECORD_ID } : undefined;
  if (spec.returnKey === true) {
    stages.push(KEY_ALONE);
    shown = { key: INDEX_KEY };
  } else if (spec.projection !== undefined && !spec.projection.isEmpty()) {
    const project = parseFindProjection(spec.projection, context, matches[0]?.filter ?? MATCH_ALL);
    if (readsSortKey(project) && isUnsorted(spec.sort)) throw noSort();
    // The order of storage has no keys.
    if (spec.sort?.has("$natural")) stages.push({ kind: "sortKey", parts: [] });
    shown = shownTo(project, spec.showRecordId === true, matches[0]?.filter);
    stages.push(withoutShown(spec.showRecordId === true ? withRecordId(project) : project, shown));
  }
  const find = {
    command: "find",
    stages,
    ...(shown && { shown }),
    ...collationOf(context),
  } as const;
  return isBackward(spec.sort) ? { ...find, backward: true } : find;
}

const RECORD_ID = "$recordId";
const { recordId: PLACE, indexKey: INDEX_KEY } = SHOWN_METADATA;
/** How `explain` names what leaves the key alone. */
export const RETURN_KEY = "RETURN_KEY";
const KEY_ALONE: Stage = {
  kind: "replaceRoot",
  newRoot: {
    kind: "operator",
    name: "$ifNull",
    args: [{ kind: "path", variable: "ROOT", path: [INDEX_KEY] }, {
      kind: "constant",
      value: BuiltDocument.EMPTY,
    }],
    named: {},
  },
  name: RETURN_KEY,
  source: BuiltDocument.EMPTY,
};

/** What rows show to a projection. */
function shownTo(
  project: ProjectStage,
  showsRecordId: boolean,
  filter: Filter | undefined,
): ShownFields | undefined {
  const place = showsRecordId || readsMetadata(project, "recordId");
  // MongoDB finds a document by its _id alone without looking at keys.
  const key = readsMetadata(project, "indexKey") && !isIdAlone(filter);
  return place || key ? { ...(place && { place: PLACE }), ...(key && { key: INDEX_KEY }) } : undefined;
}

function isIdAlone(filter: Filter | undefined): boolean {
  return filter?.kind === "comparison" && filter.operator === "$eq" && filter.path.join(".") === "_id";
}

/** MongoDB puts the record's id behind all that a projection makes. */
function withRecordId(project: ProjectStage): ProjectStage {
  const expression = { kind: "path", variable: "ROOT", path: [PLACE] } as const;
  return { ...project, root: new Map([...project.root, [RECORD_ID, { kind: "computed", expression }]]) };
}

/** What rows show is read and goes. */
function withoutShown(project: ProjectStage, shown: ShownFields | undefined): ProjectStage {
  if (shown === undefined || project.mode === "inclusion") return project;
  const named = [shown.place, shown.key].filter((name) => name !== undefined)
    .map((name) => [name, { kind: "named" }] as const);
  return { ...project, root: new Map([...project.root, ...named]) };
}

function matchStages(filter: Document | undefined, context: ParseContext): readonly MatchStage[] {
  if (filter === undefined || filter.isEmpty()) return [];
  return [{ kind: "match", filter: parseFilter(filter, context), source: filter }];
}

function isUnsorted(sort: Document | undefined): boolean {
  return sort === undefined || sort.isEmpty();
}

/** `$natural` asks for the order of storage, which is what comes without a sort. */
function sortStages(sort: Document, context: ParseContext): readonly Stage[] {
  if (sort.isEmpty()) return [];
  if (sort.has("$natural") && isNumber(sort.get("$natural"))) {
    if (sort.names().length === 1) return [];
    throw new CommandError(
      "BadValue",
      `Cannot include '$natural' in compound sort: ${renderDocument(sort)}`,
    );
  }
  return [{ kind: "sort", parts: parseSortParts(sort, context), limit: undefined }];
}

function isBackward(sort: Document | undefined): boolean {
  const natural = sort?.get("$natural");
  return isNumber(natural) && toDouble(natural) < 0;
}

function rangeStages(skip: number | undefined, limit: number | undefined): readonly Stage[] {
  const stages: Stage[] = [];
  if (skip !== undefined && skip > 0) stages.push({ kind: "skip", count: skip });
  if (limit !== undefined && limit > 0) stages.push({ kind: "limit", count: limit });
  return stages;
}

export interface CountSpec {
  readonly query?: Document | undefined;
  readonly skip?: number | undefined;
  readonly limit?: number | undefined;
}

/** A count: its result is one document `{n: …}`, or none for zero; see `readCount`. */
export function parseCountCommand(
  spec: CountSpec,
  context: ParseContext = EMPTY_PARSE_CONTEXT,
): Pipeline {
  return {
    command: "count",
    ...collationOf(context),
    stages: [
      ...matchStages(spec.query, context),
      ...rangeStages(spec.skip, spec.limit),
      { kind: "count", field: COUNT_FIELD },
    ],
  };
}

export interface DistinctSpec {
  /** A dotted path. */
  readonly key: string;
  readonly query?: Document | undefined;
}

/** The rows whose values `distinctValues` collects, cut to the field that it reads. */
export function parseDistinct(spec: DistinctSpec, context: ParseContext = EMPTY_PARSE_CONTEXT): Pipeline {
  const path = parseFieldPath(spec.key);
  const tree = new ProjectionTree();
  // A number may be a place in an array, which a projection does not know.
  tree.add(path.some((part) => arrayOffset(part) >= 0) ? path[0]! : spec.key, { kind: "named" });
  return {
    command: "distinct",
    distinct: spec.key,
    ...collationOf(context),
    stages: [
      ...matchStages(spec.query, context),
      {
        kind: "project",
        name: "$project",
        mode: "inclusion",
        root: tree.node,
        arrays: [],
        source: BuiltDocument.EMPTY,
      },
    ],
  };
}

/**
 * The variables of a command's `let`: constant expressions, evaluated once.
 *
 * @throws CommandError 4890500 when one reads a field
 */
export function evaluateLet(
  document: Document,
  context: ParseContext = EMPTY_PARSE_CONTEXT,
): ReadonlyMap<string, Value> {
  const variables = new Map<string, Value>();
  const values = document.values();
  document.names().forEach((name, i) => {
    const expression = parseExpression(values[i], { ...context, variables: new Set(variables.keys()) });
    const fields = fieldsOf(expression);
    if (fields === undefined || fields.size > 0 || readsSortKey(expression)) {
      throw new CommandError(
        4890500,
        "Command let Expression tried to access a field, but this is not allowed because Command let " +
          "Expressions run before the query examines any documents.",
      );
    }
    variables.set(name, compileExpression(expression)({ root: BuiltDocument.EMPTY, variables }));
  });
  return variables;
}
