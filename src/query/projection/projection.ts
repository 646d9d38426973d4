/**
 * What `$project`, find's projection, `$addFields` and `$unset` do to a document: one tree, applied in two passes, as
 * MongoDB's `ProjectionNode` is.
 *
 * 1. The fields of the document, in their order: an inclusion takes those it names, an exclusion leaves those out, an
 *    addition takes all. Named paths go on into documents and into each element of arrays; what is no document on a
 *    named path is left out by an inclusion and kept otherwise.
 * 2. Computed fields, in the order of the specification: they replace a field where it stands or come last. Where a
 *    computed path meets a scalar or nothing, a new document takes its place.
 */
import { BuiltDocument, Document, isArray, type Value } from "../../bson/mod.ts";
import { compileExpression } from "../expression/compile.ts";
import type { Evaluator, Expression, Scope } from "../expression/expression.ts";

export type ProjectionMode = "inclusion" | "exclusion" | "addition";

/** What happens to one field. */
export type FieldProjection =
  /** Named by an inclusion or exclusion. */
  | { readonly kind: "named" }
  | { readonly kind: "computed"; readonly expression: Expression }
  | { readonly kind: "nested"; readonly node: ProjectionNode };

/** Fields in the order of the specification. */
export type ProjectionNode = ReadonlyMap<string, FieldProjection>;

export interface Projection {
  readonly mode: ProjectionMode;
  readonly root: ProjectionNode;
}

/** A projection, compiled. @throws CommandError from an expression */
export type Projector = (scope: Scope) => Document;

/** @throws CommandError when a constant expression fails */
export function compileProjection({ mode, root }: Projection): Projector {
  const plan = compileNode(root);
  return (scope) => {
    const draft = projectDocument(mode, plan, scope.root);
    compute(plan, draft, scope);
    return freeze(draft);
  };
}

/** A node with its expressions compiled. */
interface NodePlan {
  readonly fields: ReadonlyMap<string, FieldPlan>;
  /** Whether there is an expression in it or below. */
  readonly computes: boolean;
}

type FieldPlan = "named" | Evaluator | NodePlan;

function compileNode(node: ProjectionNode): NodePlan {
  const fields = new Map<string, FieldPlan>();
  let computes = false;
  for (const [name, field] of node) {
    const plan = compileField(field);
    fields.set(name, plan);
    computes ||= typeof plan === "function" || (plan !== "named" && plan.computes);
  }
  return { fields, computes };
}

function compileField(field: FieldProjection): FieldPlan {
  switch (field.kind) {
    case "named":
      return "named";
    case "computed":
      return compileExpression(field.expression);
    case "nested":
      return compileNode(field.node);
  }
}

/** A document in the making; a field that is undefined keeps its place until the end. */
interface Draft {
  readonly names: string[];
  readonly values: Value[];
}

function projectDocument(mode: ProjectionMode, plan: NodePlan, document: Document): Draft {
  if (mode === "addition") return { names: [...document.names()], values: [...document.values()] };
  return mode === "inclusion" ? include(plan, document) : exclude(plan, document);
}

function include(plan: NodePlan, document: Document): Draft {
  const draft: Draft = { names: [], values: [] };
  for (const name of document.names()) {
    const field = plan.fields.get(name);
    if (field === undefined || typeof field === "function") continue;
    draft.names.push(name);
    draft.values.push(
      field === "named" ? document.get(name) : projectValue("inclusion", field, document.get(name)),
    );
  }
  return draft;
}

function exclude(plan: NodePlan, document: Document): Draft {
  const draft: Draft = { names: [], values: [] };
  const names = document.names();
  for (let i = 0; i < names.length; i++) {
    const field = plan.fields.get(names[i]!);
    if (field === "named") continue;
    const value = document.get(names[i]!);
    draft.names.push(names[i]!);
    draft.values.push(
      typeof field === "object" ? projectValue("exclusion", field, value) : value,
    );
  }
  return draft;
}

function projectValue(mode: ProjectionMode, plan: NodePlan, value: Value): Value {
  if (value instanceof Document) {
    const draft = projectDocument(mode, plan, value);
    return plan.computes ? new BuiltDocument(draft.names, draft.values) : freeze(draft);
  }
  if (isArray(value)) {
    const elements = value.map((element) => projectValue(mode, plan, element));
    return plan.computes ? elements : elements.filter((element) => element !== undefined);
  }
  return mode === "inclusion" ? undefined : value;
}

function compute(plan: NodePlan, draft: Draft, scope: Scope): void {
  if (!plan.computes) return;
  for (const [name, field] of plan.fields) {
    if (field === "named") continue;
    const at = draft.names.indexOf(name);
    const value = typeof field === "function"
      ? field(scope)
      : field.computes
      ? computeValue(field, draft.values[at], scope)
      : draft.values[at];
    if (at >= 0) {
      draft.values[at] = value;
    } else {
      draft.names.push(name);
      draft.values.push(value);
    }
  }
}

function computeValue(plan: NodePlan, value: Value, scope: Scope): Value {
  if (isArray(value)) return value.map((element) => computeValue(plan, element, scope));
  const draft: Draft = value instanceof Document
    ? { names: [...value.names()], values: [...value.values()] }
    : { names: [], values: [] };
  compute(plan, draft, scope);
  return freeze(draft);
}

function freeze({ names, values }: Draft): Document {
  if (!values.includes(undefined)) return new BuiltDocument(names, values);
  const present = names.filter((_, i) => values[i] !== undefined);
  return new BuiltDocument(present, values.filter((value) => value !== undefined));
}
