/**
 * `$fill`: values for fields that are null or missing. It is written as other stages: a value is `$ifNull`, a method is
 * `$linearFill` or `$locf` of `$setWindowFields`, which comes first.
 */
import { CommandError } from "../../base/mod.ts";
import { BuiltDocument, Document, isArray, type Value } from "../../bson/mod.ts";
import { inContext } from "../error_context.ts";
import type { ParseContext } from "../expression/expression.ts";
import { parseFieldPath } from "../expression/field_path.ts";
import { typeName } from "../expression/message.ts";
import { parseAddFields, type ProjectStage } from "./project.ts";
import { parseSetWindowFields, type SetWindowFieldsStage } from "./set_window_fields.ts";
import type { SortStage } from "./sort.ts";

type FillStages = readonly (ProjectStage | SetWindowFieldsStage | SortStage)[];

const TYPES: Readonly<Record<string, (value: Value) => boolean>> = {
  output: (value) => value instanceof Document,
  partitionBy: (value) => value instanceof Document || typeof value === "string",
  partitionByFields: isArray,
  sortBy: (value) => value instanceof Document,
};

export function parseFill(value: Value, context: ParseContext): FillStages {
  if (!(value instanceof Document)) {
    throw new CommandError(
      "FailedToParse",
      `The $fill stage specification must be an object, found ${typeName(value)}`,
    );
  }
  checkFields(value);
  const output = value.get("output");
  if (!(output instanceof Document)) {
    throw new CommandError(40414, "BSON field '$fill.output' is missing but a required field");
  }
  if (value.has("partitionBy") && value.has("partitionByFields")) {
    throw new CommandError(
      6050204,
      "Maximum one of 'partitionBy' and 'partitionByFields can be specified in '$fill'",
    );
  }
  if (output.isEmpty()) {
    throw new CommandError(
      6050203,
      "The output field in '$fill' must contain an object with at least one element",
    );
  }
  const { windows, additions } = readOutput(output);
  const stages: FillStages[number][] = [];
  if (!windows.isEmpty()) {
    const spec = BuiltDocument.of({
      partitionBy: partitionOf(value),
      sortBy: value.get("sortBy"),
      output: windows,
    });
    stages.push(...parseSetWindowFields(spec, context));
  }
  if (!additions.isEmpty()) stages.push(parseAddFields("$addFields", additions, context));
  return stages;
}

function checkFields(spec: Document): void {
  const values = spec.values();
  spec.names().forEach((name, i) => {
    const fits = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
    if (fits === undefined) throw new CommandError(40415, `BSON field '$fill.${name}' is an unknown field.`);
    if (!fits(values[i])) throw wrongType(name, values[i], name === "partitionByFields" ? "array" : "object");
  });
  const fields = spec.get("partitionByFields");
  if (!isArray(fields)) return;
  fields.forEach((field, i) => {
    if (typeof field !== "string") throw wrongType(`partitionByFields.${i}`, field, "string");
  });
}

function wrongType(path: string, value: Value, expected: string): CommandError {
  return new CommandError(
    "TypeMismatch",
    `BSON field '$fill.${path}' is the wrong type '${typeName(value)}', expected type '${expected}'`,
  );
}

/** Fields to partition by stand for an object of them. */
function partitionOf(spec: Document): Value {
  const fields = spec.get("partitionByFields");
  if (!isArray(fields)) return spec.get("partitionBy");
  const names = fields as readonly string[];
  return new BuiltDocument(names, names.map((name) => `$${name}`));
}

function readOutput(output: Document): { readonly windows: Document; readonly additions: Document } {
  const windows: [string, Value][] = [];
  const additions: [string, Value][] = [];
  const values = output.values();
  output.names().forEach((name, i) => {
    const spec = values[i];
    if (!(spec instanceof Document)) {
      throw new CommandError(
        6050200,
        "Each fill output specification must be an object with exactly one field",
      );
    }
    const unknown = spec.names().find((field) => field !== "value" && field !== "method");
    if (unknown !== undefined) {
      throw new CommandError(40415, `BSON field '$fill.${unknown}' is an unknown field.`);
    }
    if (spec.has("value") && spec.has("method")) {
      throw new CommandError(
        6050201,
        "Each fill output specification must have exactly one of 'method' or 'value' fields, not both",
      );
    }
    if (spec.has("method")) {
      windows.push([name, BuiltDocument.of({ [methodOf(spec.get("method"))]: `$${name}` })]);
    } else if (spec.has("value")) {
      inContext("Invalid $addFields", () => parseFieldPath(name));
      additions.push([name, BuiltDocument.of({ $ifNull: [`$${name}`, spec.get("value")] })]);
    }
  });
  return { windows: documentOf(windows), additions: documentOf(additions) };
}

function methodOf(value: Value): string {
  if (typeof value !== "string") throw wrongType("method", value, "string");
  if (value === "linear") return "$linearFill";
  if (value === "locf") return "$locf";
  throw new CommandError(6050202, "Method must be either locf or linear");
}

function documentOf(fields: readonly (readonly [string, Value])[]): Document {
  return new BuiltDocument(fields.map(([name]) => name), fields.map(([, value]) => value));
}
