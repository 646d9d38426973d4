/** `$project`, `$addFields` and `$set`, `$unset`, and find's projection: all are one tree of fields. */
import { CommandError } from "../../base/mod.ts";
import { Document, isArray, type Value } from "../../bson/mod.ts";
import { type QueryContext, scopeVariables } from "../context.ts";
import { inContext } from "../error_context.ts";
import { addFieldsOf } from "../expression/compile.ts";
import type { ParseContext } from "../expression/expression.ts";
import { renderDocument, typeName } from "../expression/message.ts";
import { parseExpression } from "../expression/parse.ts";
import type { Filter } from "../filter/filter.ts";
import { type ArrayProjection, compileArrayProjection } from "../projection/array_projection.ts";
import { parseProjection } from "../projection/parse.ts";
import {
  compileProjection,
  type Projection,
  type ProjectionMode,
  type ProjectionNode,
} from "../projection/projection.ts";
import { ProjectionTree } from "../projection/tree.ts";
import { mapRows } from "../rows.ts";
import type { Rows } from "../source.ts";

export interface ProjectStage extends Projection {
  readonly kind: "project";
  /** The stage's own name: `$project`, `$set` … */
  readonly name: string;
  readonly mode: ProjectionMode;
  readonly root: ProjectionNode;
  /** Find only; empty elsewhere. */
  readonly arrays: readonly ArrayProjection[];
  /** The specification as written, for `explain`. */
  readonly source: Value;
}

export function parseProject(value: Value, context: ParseContext): ProjectStage {
  if (!(value instanceof Document)) {
    throw new CommandError(15969, "$project specification must be an object");
  }
  const projection = inContext("Invalid $project", () => parseProjection(value, context, false));
  return { kind: "project", name: "$project", ...projection, source: value };
}

/** Find's projection; it has more operators than `$project`. @param filter the find's own */
export function parseFindProjection(
  value: Document,
  context: ParseContext,
  filter: Filter,
): ProjectStage {
  return {
    kind: "project",
    name: "$project",
    ...parseProjection(value, context, true, filter),
    source: value,
  };
}

export function parseUnset(value: Value): ProjectStage {
  if (typeof value !== "string" && !isArray(value)) {
    throw new CommandError(31002, "$unset specification must be a string or an array");
  }
  const paths = typeof value === "string" ? [value] : value;
  if (paths.length === 0) {
    throw new CommandError(
      31119,
      "$unset specification must be a string or an array with at least one field",
    );
  }
  if (!paths.every((path) => typeof path === "string")) {
    throw new CommandError(
      31120,
      "$unset specification must be a string or an array containing only string values",
    );
  }
  const root = inContext("Invalid $unset", () => {
    const tree = new ProjectionTree();
    for (const path of paths as readonly string[]) tree.add(path, { kind: "named" });
    return tree.node;
  });
  return { kind: "project", name: "$unset", mode: "exclusion", root, arrays: [], source: value };
}

/** @param name `$addFields` or `$set` */
export function parseAddFields(name: string, value: Value, context: ParseContext): ProjectStage {
  if (!(value instanceof Document)) {
    throw new CommandError(40272, `${name} specification stage must be an object, got ${typeName(value)}`);
  }
  const root = inContext(`Invalid ${name}`, () => parseAdditions(value, context));
  return { kind: "project", name, mode: "addition", root, arrays: [], source: value };
}

function parseAdditions(specification: Document, context: ParseContext): ProjectionNode {
  const tree = new ProjectionTree();
  const taken: string[] = [];
  const add = (document: Document, prefix: string) => {
    const values = document.values();
    document.names().forEach((name, i) => {
      const value = values[i];
      const path = prefix + name;
      if (value instanceof Document && value.names().length > 1 && value.names().some(startsWithDollar)) {
        throw notOneOperator(value, specification);
      }
      if (value instanceof Document && !startsWithDollar(value.names()[0])) {
        if (value.isEmpty()) {
          throw new CommandError(
            40180,
            `an empty object is not a valid value. Found empty object at path ${path}`,
          );
        }
        return add(value, `${path}.`);
      }
      checkConflict(path, taken, specification);
      tree.add(path, { kind: "computed", expression: parseExpression(value, context) });
    });
  };
  add(specification, "");
  return tree.node;
}

function startsWithDollar(name: string | undefined): boolean {
  return name?.startsWith("$") === true;
}

function notOneOperator(document: Document, specification: Document): CommandError {
  return new CommandError(
    40181,
    "an expression specification must contain exactly one field, the name of the expression. Found " +
      `${document.names().length} fields in ${renderDocument(document)}, while parsing object ${
        renderDocument(specification)
      }`,
  );
}

function checkConflict(path: string, taken: string[], specification: Document): void {
  for (const other of taken) {
    if (other === path || path.startsWith(`${other}.`) || other.startsWith(`${path}.`)) {
      throw new CommandError(
        40176,
        "specification contains two conflicting paths. Cannot specify both " +
          `'${path}' and '${other}': ${renderDocument(specification)}`,
      );
    }
  }
  taken.push(path);
}

export function runProject(stage: ProjectStage, input: Rows, context: QueryContext): Rows {
  const project = projectDocument(stage, scopeVariables(context));
  return mapRows(input, context, (row, output) => output.push(project(row)));
}

/** What the stage makes of one document. */
export function projectDocument(
  stage: ProjectStage,
  variables: ReadonlyMap<string, Value>,
): (root: Document) => Document {
  const project = compileProjection(stage);
  const arrays = stage.arrays.map(compileArrayProjection);
  return (root) => arrays.reduce((row, apply) => apply(root, row), project({ root, variables }));
}

/** Adds the top-level fields that a projection reads. @returns false when it needs whole rows */
export function addFieldsOfProjection(node: ProjectionNode, fields: Set<string>): boolean {
  return collect(node, undefined, fields);
}

function collect(node: ProjectionNode, top: string | undefined, fields: Set<string>): boolean {
  for (const [name, field] of node) {
    if (field.kind === "computed") {
      if (!addFieldsOf(field.expression, fields)) return false;
      if (top !== undefined) fields.add(top);
    } else {
      fields.add(top ?? name);
      if (field.kind === "nested" && !collect(field.node, top ?? name, fields)) return false;
    }
  }
  return true;
}
