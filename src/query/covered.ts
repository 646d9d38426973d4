/**
 * Which queries the keys of an index answer alone, as MongoDB decides: all that is read are whole fields of the index on
 * which no document has an array, and a key says whether a document passes. In a key a missing field is null; a condition
 * that would tell the two apart has the document read.
 */
import { BsonType, isArray, type Value } from "../bson/mod.ts";
import { type Expression, isRow } from "./expression/expression.ts";
import type { Filter } from "./filter/filter.ts";
import type { SourceIndex, SourceIndexField } from "./source_index.ts";
import type { Stage } from "./pipeline.ts";
import type { ProjectionNode } from "./projection/projection.ts";

/** Dotted paths; undefined for whole rows. */
export type PathsRead = ReadonlySet<string> | undefined;

/** What is read of the rows that come into a pipeline. */
export function pathsRead(stages: readonly Stage[]): PathsRead {
  const paths = new Set<string>();
  for (const stage of stages) {
    switch (stage.kind) {
      case "limit":
      case "skip":
        break;
      case "sort":
        for (const { path } of stage.parts) paths.add(path.join("."));
        break;
      case "count":
        return paths;
      case "group":
        return [stage.id, ...stage.outputs.flatMap(({ inputs }) => inputs)]
            .every((each) => addExpression(each, paths))
          ? paths
          : undefined;
      case "project":
        return stage.mode === "inclusion" && stage.arrays.length === 0 && addNode(stage.root, "", paths)
          ? paths
          : undefined;
      default:
        return undefined;
    }
  }
  return undefined;
}

function addNode(node: ProjectionNode, above: string, paths: Set<string>): boolean {
  return node.entries().every(([name, field]) => {
    switch (field.kind) {
      case "named":
        paths.add(above + name);
        return true;
      case "nested":
        return addNode(field.node, `${above}${name}.`, paths);
      case "computed":
        // Below a name it would look for what is there already.
        return above === "" && addExpression(field.expression, paths);
      case "elemMatch":
        return false;
    }
  });
}

/** @returns whether it reads no whole row */
function addExpression(expression: Expression, paths: Set<string>): boolean {
  const add = (child: Expression) => addExpression(child, paths);
  switch (expression.kind) {
    case "constant":
      return true;
    case "path":
      if (!isRow(expression.variable)) return true;
      if (expression.path.length > 0) paths.add(expression.path.join("."));
      return expression.path.length > 0;
    case "object":
      return expression.fields.every(add);
    case "array":
      return expression.items.every(add);
    case "operator":
      // What is known of a row beside its fields stays with its document.
      return expression.name !== "$meta" && expression.args.every(add) &&
        Object.values(expression.named).every(add);
  }
}

/** The fields that rows made of the index's keys would have; undefined where it is not for these paths. */
export function coveringFields(
  index: SourceIndex,
  paths: PathsRead,
  asked: readonly Filter[],
): readonly SourceIndexField[] | undefined {
  const { fields, arrays } = index;
  if (paths === undefined || index.isClustered === true || index.keysAreOpen === true) return undefined;
  const names = fields.map(({ path }) => path.join("."));
  if (names.some((name) => names.some((other) => other.startsWith(`${name}.`)))) return undefined;
  const has = (path: string) => {
    const at = names.indexOf(path);
    return at >= 0 && fields[at]!.hashed !== true && fields[at]!.only === undefined &&
      arrays[at]!.length === 0;
  };
  return [...paths].every(has) && asked.every((filter) => isAskedOfKeys(filter, has)) ? fields : undefined;
}

/** Whether a filter decides of a row made of a key what it decides of its document. */
function isAskedOfKeys(filter: Filter, has: (path: string) => boolean): boolean {
  switch (filter.kind) {
    case "and":
    case "or":
    case "nor":
      return filter.filters.every((each) => isAskedOfKeys(each, has));
    case "not":
      return isAskedOfKeys(filter.filter, has);
    case "constant":
      return true;
    case "comparison":
      return isPlain(filter.value) && has(filter.path.join("."));
    case "in":
      return filter.values.every(isPlain) && has(filter.path.join("."));
    case "type":
      return !filter.types.has(BsonType.Null) && has(filter.path.join("."));
    case "regex":
    case "mod":
      return has(filter.path.join("."));
    default:
      return false;
  }
}

function isPlain(value: Value): boolean {
  return value !== null && !isArray(value);
}
