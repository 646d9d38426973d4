/** `$bucket`: rows grouped by the span between two boundaries that a value falls into; a `$group` and a `$sort`. */
import { CommandError } from "../../base/mod.ts";
import {
  BuiltDocument,
  compareValues,
  Document,
  Int32,
  isArray,
  rankOfType,
  typeOf,
  type Value,
} from "../../bson/mod.ts";
import { compileExpression, isConstant } from "../expression/compile.ts";
import type { ParseContext } from "../expression/expression.ts";
import { renderValue, typeName } from "../expression/message.ts";
import { parseExpression } from "../expression/parse.ts";
import { type GroupStage, parseGroup } from "./group.ts";
import { parseSort, type SortStage } from "./sort.ts";

interface BucketSpec {
  groupBy?: Value;
  boundaries?: readonly Value[];
  default?: Value;
  output?: Document;
}

export function parseBucket(value: Value, context: ParseContext): readonly [GroupStage, SortStage] {
  if (!(value instanceof Document)) {
    throw new CommandError(
      40201,
      `Argument to $bucket stage must be an object, but found type: ${typeName(value)}.`,
    );
  }
  const { groupBy, boundaries, default: fallback, output } = readSpec(value, context);
  if (groupBy === undefined || boundaries === undefined) {
    throw new CommandError(40198, "$bucket requires 'groupBy' and 'boundaries' to be specified.");
  }
  checkDefault(boundaries, fallback, context);
  const counted = BuiltDocument.of({ count: BuiltDocument.of({ $sum: Int32.of(1) }) });
  const outputs = output ?? counted;
  const group = new BuiltDocument(
    ["_id", ...outputs.names()],
    [bucketOf(groupBy, boundaries, fallback), ...outputs.values()],
  );
  return [parseGroup(group, context), parseSort(BuiltDocument.of({ _id: Int32.of(1) }), context)];
}

function readSpec(document: Document, context: ParseContext): BucketSpec {
  const spec: BucketSpec = {};
  const values = document.values();
  document.names().forEach((name, i) => {
    const value = values[i];
    switch (name) {
      case "groupBy":
        spec.groupBy = readGroupBy(value);
        break;
      case "boundaries":
        spec.boundaries = readBoundaries(value, context);
        break;
      case "default":
        spec.default = readConstant(value, context, (text) =>
          new CommandError(
            40195,
            `The $bucket 'default' field must be a constant expression, but found: ${text}.`,
          ));
        break;
      case "output":
        if (!(value instanceof Document)) {
          throw new CommandError(
            40196,
            `The $bucket 'output' field must be an object, but found type: ${typeName(value)}.`,
          );
        }
        spec.output = value;
        break;
      default:
        throw new CommandError(40197, `Unrecognized option to $bucket: ${name}.`);
    }
  });
  return spec;
}

function readGroupBy(value: Value): Value {
  const isPath = typeof value === "string" && value.startsWith("$");
  const isOperator = value instanceof Document && value.names()[0]?.startsWith("$") === true;
  if (isPath || isOperator) return value;
  throw new CommandError(
    40202,
    "The $bucket 'groupBy' field must be defined as a $-prefixed path or an expression, but found: " +
      `${renderValue(value)}.`,
  );
}

function readBoundaries(value: Value, context: ParseContext): readonly Value[] {
  if (!isArray(value)) {
    throw new CommandError(
      40200,
      `The $bucket 'boundaries' field must be an array, but found type: ${typeName(value)}.`,
    );
  }
  const boundaries = value.map((item) =>
    readConstant(item, context, (text) =>
      new CommandError(
        40191,
        `The $bucket 'boundaries' field must be an array of constant values, but found value: ${text}.`,
      ))
  );
  if (boundaries.length < 2) {
    throw new CommandError(
      40192,
      `The $bucket 'boundaries' field must have at least 2 values, but found ${boundaries.length} value(s).`,
    );
  }
  for (let i = 1; i < boundaries.length; i++) checkOrder(boundaries[i - 1], boundaries[i], i, context);
  return boundaries;
}

function checkOrder(lower: Value, upper: Value, at: number, { collation }: ParseContext): void {
  if (rankOfType(typeOf(lower)) !== rankOfType(typeOf(upper))) {
    throw new CommandError(
      40193,
      "All values in the the 'boundaries' option to $bucket must have the same type. " +
        `Found conflicting types ${typeName(lower)} and ${typeName(upper)}.`,
    );
  }
  if (compareValues(lower, upper, collation) >= 0) {
    throw new CommandError(
      40194,
      `The 'boundaries' option to $bucket must be sorted, but elements ${at - 1} and ${at} are not in ` +
        `ascending order (${renderValue(lower)} is not less than ${renderValue(upper)}).`,
    );
  }
}

function readConstant(
  value: Value,
  context: ParseContext,
  error: (text: string) => CommandError,
): Value {
  const expression = parseExpression(value, context);
  if (!isConstant(expression)) throw error(renderValue(value));
  return compileExpression(expression)({ root: BuiltDocument.EMPTY, variables: new Map() });
}

function checkDefault(boundaries: readonly Value[], fallback: Value, { collation }: ParseContext): void {
  if (fallback === undefined) return;
  const lowest = boundaries[0];
  const highest = boundaries[boundaries.length - 1];
  if (rankOfType(typeOf(fallback)) !== rankOfType(typeOf(lowest))) return;
  if (compareValues(fallback, lowest, collation) >= 0 && compareValues(fallback, highest, collation) < 0) {
    throw new CommandError(
      40199,
      "The $bucket 'default' field must be less than the lowest boundary or greater than or equal to the " +
        "highest boundary.",
    );
  }
}

/** The expression that gives a row's bucket: its lower boundary. */
function bucketOf(groupBy: Value, boundaries: readonly Value[], fallback: Value): Document {
  const literal = (value: Value) => BuiltDocument.of({ $literal: value });
  const branches = boundaries.slice(0, -1).map((lower, i) =>
    BuiltDocument.of({
      case: BuiltDocument.of({
        $and: [
          BuiltDocument.of({ $gte: [groupBy, literal(lower)] }),
          BuiltDocument.of({ $lt: [groupBy, literal(boundaries[i + 1])] }),
        ],
      }),
      then: literal(lower),
    })
  );
  return BuiltDocument.of({
    $switch: BuiltDocument.of({
      branches,
      default: fallback === undefined ? undefined : literal(fallback),
    }),
  });
}
