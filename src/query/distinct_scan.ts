/**
 * Where of rows with equal values in one field the first is enough: for `distinct`, and for a `$group` by that field that asks
 * for nothing but the first row of each group. An index over the field then gives one key for each of its values.
 */
import { BuiltDocument, Document, Int32, type Value } from "../bson/mod.ts";
import { type PathsRead, pathsRead } from "./covered.ts";
import { type Expression, isRow } from "./expression/expression.ts";
import type { Pipeline, Stage } from "./pipeline.ts";
import type { GroupStage } from "./stage/group.ts";
import type { SortStage } from "./stage/sort.ts";

/** Which rows are the same. */
export interface DistinctQuestion {
  /** The dotted path whose values tell rows apart. */
  readonly path: string;
  /** Values are whole: those of an array are not asked for one by one. */
  readonly isGroup: boolean;
  /** Whether a filter was written, if only one that all rows pass: MongoDB takes an index for all values where there is none. */
  readonly isFiltered: boolean;
}

export interface DistinctRows extends Omit<DistinctQuestion, "isFiltered"> {
  /** The order in which rows are the first ones. */
  readonly sort: SortStage | undefined;
  /** What is left to do on these rows. */
  readonly rest: readonly Stage[];
  readonly paths: PathsRead;
}

/** @param stages those behind the leading `$match`es */
export function distinctRows(
  { distinct, collation }: Pipeline,
  stages: readonly Stage[],
): DistinctRows | undefined {
  if (collation !== undefined) return undefined;
  if (distinct !== undefined) {
    return { path: distinct, isGroup: false, sort: undefined, rest: stages, paths: new Set([distinct]) };
  }
  // What finds the ends of groups stands in front of a sort.
  const from = stages[0]?.kind === "groupEnds" ? 1 : 0;
  const first = stages[from];
  const sort = first?.kind === "sort" && first.limit === undefined ? first : undefined;
  const rest = stages.slice(sort === undefined ? from : from + 1);
  const group = rest[0];
  if (group?.kind !== "group" || group.collation !== undefined) return undefined;
  const path = pathOf(group.id);
  if (path === undefined || !group.outputs.every(({ accumulator }) => accumulator.name === "$first")) {
    return undefined;
  }
  return { path, isGroup: true, sort, rest, paths: pathsRead([group]) };
}

function pathOf(id: Expression): string | undefined {
  if (id.kind === "object") return id.fields.length === 1 ? pathOf(id.fields[0]!) : undefined;
  if (id.kind !== "path" || id.path.length === 0) return undefined;
  return isRow(id.variable) ? id.path.join(".") : undefined;
}

/** The group, as `explain` shows it where it gets one row a group. */
export function distinctGroup({ source }: GroupStage): Document {
  const values = source.values().map((value, i): Value =>
    source.names()[i] === "_id" || !(value instanceof Document) ? value : value.get("$first")
  );
  return BuiltDocument.of({
    $groupByDistinctScan: BuiltDocument.of({ newRoot: new BuiltDocument(source.names(), values) }),
  });
}

/** What a query reads, as a projection. */
export function projectionOf(paths: ReadonlySet<string>): Document {
  const names = [...paths].filter((path) => path !== "_id").sort();
  return new BuiltDocument([...names, "_id"], [
    ...names.map(() => Int32.of(1)),
    Int32.of(paths.has("_id") ? 1 : 0),
  ]);
}
