/** `$documents`: the first stage of a pipeline that brings its own rows, the documents of a constant array. */
import { CommandError } from "../../base/mod.ts";
import { BuiltDocument, Document, isArray, type Value } from "../../bson/mod.ts";
import { type QueryContext, scopeVariables } from "../context.ts";
import { compileExpression } from "../expression/compile.ts";
import type { Expression, ParseContext } from "../expression/expression.ts";
import { renderValue, typeName } from "../expression/message.ts";
import { parseExpression } from "../expression/parse.ts";
import { inBatches } from "../rows.ts";
import type { Rows } from "../source.ts";

export interface DocumentsStage {
  readonly kind: "documents";
  readonly documents: Expression;
  /** As written, for `explain`. */
  readonly source: Value;
}

export function parseDocuments(value: Value, context: ParseContext): DocumentsStage {
  return { kind: "documents", documents: parseExpression(value, context), source: value };
}

export async function* runDocuments(stage: DocumentsStage, context: QueryContext): Rows {
  const evaluate = compileExpression(stage.documents);
  const value = evaluate({ root: BuiltDocument.EMPTY, variables: scopeVariables(context) });
  if (!isArray(value)) {
    throw new CommandError(5858203, "an array is expected");
  }
  const rows = value.map((item) => {
    if (item instanceof Document) return item;
    throw new CommandError(
      40228,
      "elements within the array passed to $documents must evaluate to an object, but resulting value was: " +
        `${renderValue(item)}. Type of resulting value: '${typeName(item)}'. Input document: {}`,
    );
  });
  yield* inBatches(rows, context);
}
