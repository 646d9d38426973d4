/** Which top-level fields of the source's rows a pipeline reads. */
import { addFieldsOf } from "./expression/compile.ts";
import type { Expression } from "./expression/expression.ts";
import { addFieldsOfFilter } from "./filter/fields.ts";
import type { Stage } from "./pipeline.ts";
import type { Output } from "./stage/output.ts";
import { addFieldsOfProjection } from "./stage/project.ts";
import { expressionsOfRule, type RowWindowStage } from "./stage/row_window.ts";
import type { TimeWindowStage } from "./stage/time_window.ts";

/** The fields; undefined when whole rows are needed. */
export function fieldsNeeded(stages: readonly Stage[]): ReadonlySet<string> | undefined {
  const needed = new Set<string>();
  return addFieldsNeeded(stages, needed) ? needed : undefined;
}

/** Adds the fields. @returns false when whole rows are needed */
function addFieldsNeeded(stages: readonly Stage[], into: Set<string>): boolean {
  for (const stage of stages) {
    if (!addFieldsRead(stage, into)) return false;
    if (makesNewRows(stage)) return true;
  }
  return false;
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

/** Adds what a stage reads. @returns false when it reads whole rows */
function addFieldsRead(stage: Stage, into: Set<string>): boolean {
  const add = (expression: Expression) => addFieldsOf(expression, into);
  switch (stage.kind) {
    case "asofJoin":
      into.add(stage.on.local[0]!).add(stage.as[0]!);
      return addOptional(stage.by?.local, into);
    case "setWindowFields":
      addFirsts(stage.sortBy, into);
      addFirsts(stage.outputs, into);
      return addOptional(stage.partitionBy, into) && stage.outputs.every((output) => add(output.node.input));
    case "count":
    case "documents":
    case "limit":
    case "sample":
    case "skip":
    case "unionWith":
    case "windowFill":
      return true;
    case "latest":
    case "merge":
    case "out":
    case "redact":
      return false;
    case "lookup":
      into.add(stage.as[0]!);
      if (stage.equality !== undefined) into.add(stage.equality.localField[0]!);
      return stage.lets.every(({ expression }) => add(expression));
    case "densify":
      for (const path of [stage.field, ...stage.partitionBy]) into.add(path[0]!);
      return true;
    case "bucketAuto":
      return add(stage.groupBy) && addInputs(stage.outputs, into);
    case "graphLookup":
      into.add(stage.as[0]!);
      return add(stage.startWith);
    case "match":
      return addFieldsOfFilter(stage.filter, into);
    case "sort":
    case "sortKey":
      addFirsts(stage.parts, into);
      return true;
    case "groupEnds":
      addFirsts(stage.parts, into);
      return add(stage.id);
    case "unwind":
      into.add(stage.path[0]!);
      if (stage.indexPath !== undefined) into.add(stage.indexPath[0]!);
      return true;
    case "project":
      addFirsts(stage.arrays, into);
      return addFieldsOfProjection(stage.root, into);
    case "replaceRoot":
      return add(stage.newRoot);
    case "facet":
      return stage.pipelines.every((stages) => addFieldsNeeded(stages, into));
    case "group":
      return add(stage.id) && addInputs(stage.outputs, into);
    case "rowWindow":
    case "timeWindow":
      return add(stage.timestamp) && addOptional(stage.partitionBy, into) && ruleOf(stage).every(add) &&
        addInputs(stage.outputs, into);
  }
}

function ruleOf(stage: RowWindowStage | TimeWindowStage): readonly Expression[] {
  return stage.kind === "rowWindow" ? expressionsOfRule(stage.rule) : [];
}

function addOptional(expression: Expression | undefined, into: Set<string>): boolean {
  return expression === undefined || addFieldsOf(expression, into);
}

function addInputs(outputs: readonly Output[], into: Set<string>): boolean {
  return outputs.every(({ inputs }) => inputs.every((input) => addFieldsOf(input, into)));
}

function addFirsts(parts: readonly { readonly path: readonly string[] }[], into: Set<string>): void {
  for (const { path } of parts) into.add(path[0]!);
}
