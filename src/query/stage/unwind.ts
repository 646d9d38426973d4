/** `$unwind`: one row for each element of an array. */
import { CommandError } from "../../base/mod.ts";
import { Document, isArray, isNullish, type Value } from "../../bson/mod.ts";
import type { QueryContext } from "../context.ts";
import { parseFieldPath } from "../expression/field_path.ts";
import { typeName } from "../expression/message.ts";
import { mapRows } from "../rows.ts";
import type { Rows } from "../source.ts";
import { setAt, valueAt } from "./nested_field.ts";

export interface UnwindStage {
  readonly kind: "unwind";
  readonly path: readonly string[];
  /** Where the element's place goes; undefined when it is not asked for. */
  readonly indexPath: readonly string[] | undefined;
  /** Whether rows with nothing to unwind are kept. */
  readonly preserve: boolean;
}

export function parseUnwind(value: Value): UnwindStage {
  if (typeof value === "string") return unwindStage(value, undefined, false);
  if (!(value instanceof Document)) {
    throw new CommandError(
      15981,
      `expected either a string or an object as specification for $unwind stage, got ${typeName(value)}`,
    );
  }
  let path = "";
  let index: string | undefined;
  let preserve = false;
  const values = value.values();
  value.names().forEach((name, i) => {
    switch (name) {
      case "path":
        path = readPathOption(values[i]);
        break;
      case "preserveNullAndEmptyArrays":
        preserve = readPreserveOption(values[i]);
        break;
      case "includeArrayIndex":
        index = readIndexOption(values[i]);
        break;
      default:
        throw new CommandError(28811, `unrecognized option to $unwind stage: ${name}`);
    }
  });
  return unwindStage(path, index, preserve);
}

function readPathOption(value: Value): string {
  if (typeof value === "string") return value;
  throw new CommandError(28808, `expected a string as the path for $unwind stage, got ${typeName(value)}`);
}

function readPreserveOption(value: Value): boolean {
  if (typeof value === "boolean") return value;
  throw new CommandError(
    28809,
    `expected a boolean for the preserveNullAndEmptyArrays option to $unwind stage, got ${typeName(value)}`,
  );
}

function readIndexOption(value: Value): string {
  if (typeof value !== "string" || value === "") {
    throw new CommandError(
      28810,
      `expected a non-empty string for the includeArrayIndex  option to $unwind stage, got ${
        typeName(value)
      }`,
    );
  }
  if (value.startsWith("$")) {
    throw new CommandError(
      28822,
      `includeArrayIndex option to $unwind stage should not be prefixed with a '$': ${value}`,
    );
  }
  return value;
}

function unwindStage(path: string, index: string | undefined, preserve: boolean): UnwindStage {
  if (path === "") throw new CommandError(28812, "no path specified to $unwind stage");
  if (!path.startsWith("$")) {
    throw new CommandError(28818, `path option to $unwind stage should be prefixed with a '$': ${path}`);
  }
  return {
    kind: "unwind",
    path: parseFieldPath(path.slice(1)),
    indexPath: index === undefined ? undefined : parseFieldPath(index),
    preserve,
  };
}

export function runUnwind(stage: UnwindStage, input: Rows, context: QueryContext): Rows {
  return mapRows(input, context, (row, output) => unwindRow(stage, row, output));
}

function unwindRow(stage: UnwindStage, row: Document, output: Document[]): void {
  const value = valueAt(row, stage.path);
  if (isArray(value) && value.length > 0) {
    // Set in its own place, the array gives a row in memory with all fields of those to come: only values differ.
    const read = value.length > 1 ? withIndex(stage, setAt(row, stage.path, 0, value), null) : row;
    value.forEach((element, i) => output.push(withElement(stage, read, element, i)));
  } else if (isArray(value) && stage.preserve) {
    output.push(withoutElement(stage, row));
  } else if (!isArray(value) && (!isNullish(value) || stage.preserve)) {
    output.push(withIndex(stage, row, null));
  }
}

/** The row with one element in the place of the array. */
export function withElement(stage: UnwindStage, row: Document, element: Value, index: number): Document {
  return withIndex(stage, setAt(row, stage.path, 0, element), BigInt(index));
}

/** The row, preserved, where the array was empty. */
export function withoutElement(stage: UnwindStage, row: Document): Document {
  return withIndex(stage, setAt(row, stage.path, 0, undefined), null);
}

function withIndex(stage: UnwindStage, row: Document, index: Value): Document {
  return stage.indexPath === undefined ? row : setAt(row, stage.indexPath, 0, index);
}
