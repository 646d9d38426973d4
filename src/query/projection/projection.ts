/**
 * What `$project`, find's projection, `$addFields` and `$unset` do to a document: one tree, applied in two passes, as
 * MongoDB's `ProjectionNode` is.
 *
 * 1. The fields of the document, in their order: an inclusion takes those it names, an exclusion leaves those out, an
 *    addition takes all. Named paths go on into documents and into each element of arrays; what is no document on a
 *    named path is left out by an inclusion and kept otherwise. What goes leaves its place to a later field of its name,
 *    but where an inclusion that computes nothing reads a stored document: MongoDB copies bytes there.
 * 2. Computed fields, in the order of the specification: they replace a field where it stands or come last. Where a
 *    computed path meets a scalar or nothing, a new document takes its place.
 */
import { BuiltDocument, Document, isArray, type Layout, type Value } from "../../bson/mod.ts";
import { compileExpression } from "../expression/compile.ts";
import type { Evaluator, Expression, Scope } from "../expression/expression.ts";
import { elementTest } from "../filter/compile.ts";
import type { ElemMatchObjectFilter, ElemMatchValueFilter } from "../filter/filter.ts";
import { withoutKey } from "../keyed_row.ts";

export type ProjectionMode = "inclusion" | "exclusion" | "addition";

/** What happens to one field. */
export type FieldProjection =
  /** Named by an inclusion or exclusion. */
  | { readonly kind: "named" }
  | { readonly kind: "computed"; readonly expression: Expression }
  /** Of the array at a top-level field the first element that passes, in an array of its own; no field when none does. */
  | {
    readonly kind: "elemMatch";
    readonly name: string;
    readonly filter: ElemMatchObjectFilter | ElemMatchValueFilter;
  }
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
  if (mode === "inclusion" && !plan.computes) return (scope) => select(plan, scope.root);
  return (scope) => {
    const draft = projectDocument(mode, plan, scope.root);
    compute(plan, draft, scope);
    return BuiltDocument.laidOut(draft);
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
    case "elemMatch":
      return compileElemMatch(field.name, elementTest(field.filter));
    case "nested":
      return compileNode(field.node);
  }
}

function compileElemMatch(name: string, passes: (element: Value) => boolean): Evaluator {
  return ({ root }) => {
    const value = root.get(name);
    if (!isArray(value)) return undefined;
    const at = value.findIndex(passes);
    return at < 0 ? undefined : [value[at]];
  };
}

/** What an inclusion without expressions takes from a stored document; as good as stored itself. */
class Selection extends BuiltDocument {}

function select(plan: NodePlan, document: Document): Document {
  const isStored = !(withoutKey(document) instanceof BuiltDocument) ||
    withoutKey(document) instanceof Selection;
  return isStored ? selectStored(plan, document) : BuiltDocument.laidOut(include(plan, document));
}

function selectStored(plan: NodePlan, document: Document): Selection {
  const names: string[] = [];
  const values: Value[] = [];
  for (const name of document.names()) {
    const field = plan.fields.get(name);
    if (field === undefined || typeof field === "function") continue;
    const value = field === "named" ? document.get(name) : selectValue(field, document.get(name));
    if (value === undefined) continue;
    names.push(name);
    values.push(value);
  }
  return new Selection(names, values);
}

function selectValue(plan: NodePlan, value: Value): Value {
  if (value instanceof Document) return selectStored(plan, value);
  if (!isArray(value)) return undefined;
  return value.map((element) => selectValue(plan, element)).filter((element) => element !== undefined);
}

/** A document in the making; a field that is undefined keeps its place, for later stages as well. */
interface Draft extends Layout {
  readonly names: string[];
  readonly values: Value[];
}

function projectDocument(mode: ProjectionMode, plan: NodePlan, document: Document): Draft {
  if (mode === "addition") return draftOf(document);
  return mode === "inclusion" ? include(plan, document) : exclude(plan, document);
}

function draftOf(document: Document): Draft {
  const { names, values } = document.layout();
  return { names: [...names], values: [...values] };
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
  const { names, values } = draftOf(document);
  for (let i = 0; i < names.length; i++) {
    const field = plan.fields.get(names[i]!);
    if (field === "named") values[i] = undefined;
    else if (typeof field === "object") values[i] = projectValue("exclusion", field, values[i]);
  }
  return { names, values };
}

function projectValue(mode: ProjectionMode, plan: NodePlan, value: Value): Value {
  if (value instanceof Document) return BuiltDocument.laidOut(projectDocument(mode, plan, value));
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
  const draft = draftOf(value instanceof Document ? value : BuiltDocument.EMPTY);
  compute(plan, draft, scope);
  return BuiltDocument.laidOut(draft);
}
