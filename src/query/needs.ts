/** Which top-level fields of the source's rows a pipeline reads. */
import { fieldsOf } from "./expression/compile.ts";
import type { Expression } from "./expression/expression.ts";
import { fieldsOfFilter } from "./filter/fields.ts";
import type { Stage } from "./pipeline.ts";
import { fieldsOfProjection } from "./stage/project.ts";
import { expressionsOfRule, type RowWindowStage } from "./stage/row_window.ts";
import type { TimeWindowStage } from "./stage/time_window.ts";

type Fields = ReadonlySet<string> | undefined;

/** The fields; undefined when whole rows are needed. */
export function fieldsNeeded(stages: readonly Stage[]): Fields {
  const needed = new Set<string>();
  for (const stage of stages) {
    const fields = fieldsRead(stage);
    if (fields === undefined) return undefined;
    fields.forEach((field) => needed.add(field));
    if (makesNewRows(stage)) return needed;
  }
  return undefined;
}

/** Whether nothing of a row gets past a stage but what the stage reads. */
function makesNewRows(stage: Stage): boolean {
  switch (stage.kind) {
    case "bucketAuto":
    case "count":
    case "documents":
    case "facet":
    case "group":
    case "replaceRoot":
    case "rowWindow":
    case "timeWindow":
      return true;
    case "project":
      return stage.mode === "inclusion";
    case "asofJoin":
    case "groupEnds":
    case "latest":
    case "setWindowFields":
    case "densify":
    case "out":
    case "merge":
    case "graphLookup":
    case "redact":
    case "limit":
    case "lookup":
    case "match":
    case "sample":
    case "skip":
    case "sort":
    case "sortKey":
    case "unionWith":
    case "unwind":
    case "windowFill":
      return false;
  }
}

function fieldsRead(stage: Stage): Fields {
  switch (stage.kind) {
    case "asofJoin":
      return union([
        new Set([stage.on.local[0]!, stage.as[0]!]),
        ...optional(stage.by?.local).map(fieldsOf),
      ]);
    case "setWindowFields":
      return union([
        new Set([
          ...stage.sortBy.map((part) => part.path[0]!),
          ...stage.outputs.map((output) => output.path[0]!),
        ]),
        ...optional(stage.partitionBy).map(fieldsOf),
        ...stage.outputs.map((output) => fieldsOf(output.node.input)),
      ]);
    case "count":
    case "documents":
    case "limit":
    case "sample":
    case "skip":
    case "unionWith":
    case "windowFill":
      return new Set();
    case "latest":
      return undefined;
    case "lookup":
      return union([
        new Set([stage.as[0]!, ...(stage.equality?.localField.slice(0, 1) ?? [])]),
        ...stage.lets.map(({ expression }) => fieldsOf(expression)),
      ]);
    case "densify":
      return new Set([stage.field, ...stage.partitionBy].map((path) => path[0]!));
    case "out":
      return undefined;
    case "merge":
      return undefined;
    case "bucketAuto":
      return union([stage.groupBy, ...stage.outputs.flatMap((output) => output.inputs)].map(fieldsOf));
    case "graphLookup":
      return union([fieldsOf(stage.startWith), new Set([stage.as[0]!])]);
    case "redact":
      return undefined;
    case "match":
      return fieldsOfFilter(stage.filter);
    case "sort":
    case "sortKey":
      return new Set(stage.parts.map((part) => part.path[0]!));
    case "groupEnds":
      return union([fieldsOf(stage.id), new Set(stage.parts.map((part) => part.path[0]!))]);
    case "unwind":
      return new Set([stage.path[0]!, ...(stage.indexPath?.slice(0, 1) ?? [])]);
    case "project":
      return union([
        fieldsOfProjection(stage.root),
        new Set(stage.arrays.map((array) => array.path[0]!)),
      ]);
    case "replaceRoot":
      return fieldsOf(stage.newRoot);
    case "facet":
      return union(stage.pipelines.map(fieldsNeeded));
    case "group":
      return union([stage.id, ...stage.outputs.flatMap((output) => output.inputs)].map(fieldsOf));
    case "rowWindow":
    case "timeWindow":
      return union(
        [
          stage.timestamp,
          ...optional(stage.partitionBy),
          ...ruleOf(stage),
          ...stage.outputs.flatMap((output) => output.inputs),
        ]
          .map(fieldsOf),
      );
  }
}

function ruleOf(stage: RowWindowStage | TimeWindowStage): readonly Expression[] {
  return stage.kind === "rowWindow" ? expressionsOfRule(stage.rule) : [];
}

function optional(expression: Expression | undefined): readonly Expression[] {
  return expression === undefined ? [] : [expression];
}

function union(all: readonly Fields[]): Fields {
  const joined = new Set<string>();
  for (const fields of all) {
    if (fields === undefined) return undefined;
    fields.forEach((field) => joined.add(field));
  }
  return joined;
}
