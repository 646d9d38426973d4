/** `$replaceRoot` and `$replaceWith`: each row becomes the document that an expression gives. */
import { CommandError } from "../../base/mod.ts";
import { BuiltDocument, Document, DocumentBuilder, type Value } from "../../bson/mod.ts";
import { type QueryContext, scopeVariables } from "../context.ts";
import { compileExpression, fieldsOf } from "../expression/compile.ts";
import type { Expression, ParseContext } from "../expression/expression.ts";
import { renderValue, typeName } from "../expression/message.ts";
import { parseExpression } from "../expression/parse.ts";
import { mapRows } from "../rows.ts";
import type { Rows } from "../source.ts";

export interface ReplaceRootStage {
  readonly kind: "replaceRoot";
  readonly newRoot: Expression;
  /** How errors name the expression. */
  readonly name: string;
  /** The expression as written, for `explain`. */
  readonly source: Value;
}

export function parseReplaceRoot(value: Value, context: ParseContext): ReplaceRootStage {
  if (!(value instanceof Document)) {
    throw new CommandError(
      40229,
      `expected an object as specification for $replaceRoot stage, got ${typeName(value)}`,
    );
  }
  for (const name of value.names()) {
    if (name !== "newRoot") {
      throw new CommandError(40415, `BSON field '$replaceRoot.${name}' is an unknown field.`);
    }
  }
  const source = value.get("newRoot");
  if (source === undefined) {
    throw new CommandError(40414, "BSON field '$replaceRoot.newRoot' is missing but a required field");
  }
  return {
    kind: "replaceRoot",
    newRoot: parseExpression(source, context),
    name: "'newRoot' expression ",
    source,
  };
}

export function parseReplaceWith(value: Value, context: ParseContext): ReplaceRootStage {
  return {
    kind: "replaceRoot",
    newRoot: parseExpression(value, context),
    name: "'replacement document' ",
    source: value,
  };
}

export function runReplaceRoot(stage: ReplaceRootStage, input: Rows, context: QueryContext): Rows {
  const replace = replaceDocument(stage, scopeVariables(context));
  return mapRows(input, context, (row, output) => output.push(replace(row)));
}

/**
 * What the stage makes of one document.
 *
 * @param shown what an error shows of it
 * @throws CommandError 40228 when it is none
 */
export function replaceDocument(
  stage: ReplaceRootStage,
  variables: ReadonlyMap<string, Value>,
  shown = (root: Document) => readPart(stage, root),
): (root: Document) => Document {
  const evaluate = compileExpression(stage.newRoot);
  return (root) => {
    const value = evaluate({ root, variables });
    if (value instanceof Document) return value;
    throw notADocument(stage, value, shown(root));
  };
}

function notADocument(stage: ReplaceRootStage, value: Value, input: Document): CommandError {
  return new CommandError(
    40228,
    `${stage.name} must evaluate to an object, but resulting value was: ${renderValue(value)}. ` +
      `Type of resulting value: '${typeName(value)}'. Input document: ${renderValue(input)}`,
  );
}

/** What MongoDB still has of the row: all that a stage made of it, else the part that the expression read. */
function readPart(stage: ReplaceRootStage, root: Document): Document {
  const fields = fieldsOf(stage.newRoot);
  return fields === undefined || root instanceof BuiltDocument ? root : pick(root, fields);
}

function pick(document: Document, fields: ReadonlySet<string>): Document {
  const builder = new DocumentBuilder();
  for (const name of document.names()) {
    if (fields.has(name)) builder.append(name, document.get(name));
  }
  return builder.build();
}
