/**
 * `$redact`: an expression decides for each document, and for those in it, whether it stays whole (`$$KEEP`), goes
 * (`$$PRUNE`), or stays with its fields looked at in turn (`$$DESCEND`). In it `$field` is of the document at hand and
 * `$$ROOT` the row.
 */
import { CommandError } from "../../base/mod.ts";
import { BuiltDocument, Document, isArray, type Value } from "../../bson/mod.ts";
import { type QueryContext, scopeVariables } from "../context.ts";
import { compileExpression } from "../expression/compile.ts";
import {
  BOUND_CURRENT,
  type Evaluator,
  type Expression,
  type ParseContext,
} from "../expression/expression.ts";
import { withVariables } from "../expression/literal.ts";
import { renderValue } from "../expression/message.ts";
import { parseExpression } from "../expression/parse.ts";
import { mapRows } from "../rows.ts";
import type { Rows } from "../source.ts";

export interface RedactStage {
  readonly kind: "redact";
  readonly expression: Expression;
  /** As written, for `explain`. */
  readonly source: Value;
}

export function parseRedact(value: Value, context: ParseContext): RedactStage {
  const expression = parseExpression(value, withVariables(context, ["CURRENT"]));
  return { kind: "redact", expression, source: value };
}

const DECISIONS: readonly (readonly [variable: string, value: string])[] = [
  ["DESCEND", "descend"],
  ["KEEP", "keep"],
  ["PRUNE", "prune"],
];

export function runRedact(stage: RedactStage, input: Rows, context: QueryContext): Rows {
  const variables = new Map([...scopeVariables(context), ...DECISIONS]);
  const evaluate = compileExpression(stage.expression);
  return mapRows(input, context, (root, output) => {
    const left = redactDocument(root, root, evaluate, variables);
    if (left !== undefined) output.push(left);
  });
}

function redactDocument(
  document: Document,
  root: Document,
  evaluate: Evaluator,
  variables: Map<string, Value>,
): Document | undefined {
  variables.set(BOUND_CURRENT, document);
  const decision = evaluate({ root, variables });
  switch (decision) {
    case "keep":
      return document;
    case "prune":
      return undefined;
    case "descend":
      break;
    default:
      throw new CommandError(
        17053,
        "$redact's expression should not return anything aside from the variables $$KEEP, $$DESCEND, and $$PRUNE, but " +
          `returned ${renderValue(decision)}`,
      );
  }
  const names: string[] = [];
  const values: Value[] = [];
  const all = document.values();
  document.names().forEach((name, i) => {
    const left = redactValue(all[i], root, evaluate, variables);
    if (left === undefined) return;
    names.push(name);
    values.push(left);
  });
  return new BuiltDocument(names, values);
}

function redactValue(
  value: Value,
  root: Document,
  evaluate: Evaluator,
  variables: Map<string, Value>,
): Value {
  if (value instanceof Document) return redactDocument(value, root, evaluate, variables);
  if (!isArray(value)) return value;
  return value.map((item) => redactValue(item, root, evaluate, variables)).filter((item) =>
    item !== undefined
  );
}
