/**
 * `$latest`, ChronoGo's own: of the rows with one value of `by` the one of the latest time, newest first.
 *
 *     {$latest: {by: "$tags.sensorId", timestamp: "$timestamp"}}
 *
 * On a time-series collection `by` is the metaField and `timestamp` the timeField where they are left out. The stage is
 * `$sort`, `$group` with `$first` and `$replaceWith` in one, which the planner turns into a look at the ends of each series.
 */
import { CommandError } from "../../base/mod.ts";
import { BuiltDocument, Document, type Value } from "../../bson/mod.ts";
import { elementText } from "../element_text.ts";
import type { Expression, ParseContext } from "../expression/expression.ts";
import { typeName } from "../expression/message.ts";
import { parseExpression } from "../expression/parse.ts";
import { readsOnly } from "../pushdown.ts";
import type { SourceShape } from "../source.ts";
import type { GroupStage } from "./group.ts";
import { parseOutput } from "./output.ts";
import type { ReplaceRootStage } from "./replace_root.ts";
import type { SortStage } from "./sort.ts";

export interface LatestStage {
  readonly kind: "latest";
  /** Undefined for the metaField. */
  readonly by: Expression | undefined;
  /** Path of the time; undefined for the timeField. */
  readonly timestamp: readonly string[] | undefined;
  readonly context: ParseContext;
  /** As written, for `explain`. */
  readonly source: Document;
}

const ROW_FIELD = "row";

export function parseLatest(value: Value, context: ParseContext): LatestStage {
  if (!(value instanceof Document)) {
    throw failure(`the $latest stage specification must be an object, found ${typeName(value)}`);
  }
  const unknown = value.names().find((name) => name !== "by" && name !== "timestamp");
  if (unknown !== undefined) {
    throw failure(`unrecognized option to $latest: '${unknown}'; there are by, timestamp`);
  }
  return {
    kind: "latest",
    by: value.has("by") ? parseExpression(value.get("by"), context) : undefined,
    timestamp: value.has("timestamp") ? parsePath(value.get("timestamp"), context) : undefined,
    context,
    source: value,
  };
}

function parsePath(value: Value, context: ParseContext): readonly string[] {
  const expression = typeof value === "string" && value.startsWith("$")
    ? parseExpression(value, context)
    : undefined;
  if (expression?.kind === "path" && expression.variable === "CURRENT") return expression.path;
  throw failure(
    `$latest requires 'timestamp' to be a field such as "$timestamp", found ${
      elementText("timestamp", value)
    }`,
  );
}

/** @throws CommandError where neither the stage nor the rows' origin says what `by` and the time are */
export function stagesOfLatest(
  stage: LatestStage,
  shape: SourceShape,
): readonly (SortStage | GroupStage | ReplaceRootStage)[] {
  const { context, source } = stage;
  const timeField = shape.kind === "timeseries" ? shape.timeField : undefined;
  const metaField = shape.kind === "timeseries" ? shape.metaField : undefined;
  const path = stage.timestamp ?? (timeField === undefined ? undefined : [timeField]);
  if (path === undefined) throw failure("$latest requires 'timestamp' where rows have no timeField");
  const by = stage.by ?? (metaField === undefined ? undefined : parseExpression(`$${metaField}`, context));
  if (by === undefined) throw failure("$latest requires 'by' where rows have no metaField");
  const row = BuiltDocument.of({ $first: "$$ROOT" });
  const newestFirst = (path: readonly string[]): SortStage => {
    return { kind: "sort", parts: [{ path, descending: true }], limit: undefined };
  };
  // Where storage groups the ends of series, the groups are in no order.
  const endsOfSeries = path.length === 1 && path[0] === timeField && metaField !== undefined &&
    readsOnly(by, metaField);
  return [
    newestFirst(path),
    { kind: "group", id: by, outputs: [parseOutput(ROW_FIELD, row, context)], source },
    ...(endsOfSeries ? [newestFirst([ROW_FIELD, ...path])] : []),
    {
      kind: "replaceRoot",
      newRoot: parseExpression(`$${ROW_FIELD}`, context),
      name: "$latest ",
      source,
    },
  ];
}

function failure(message: string): CommandError {
  return new CommandError("FailedToParse", message);
}
