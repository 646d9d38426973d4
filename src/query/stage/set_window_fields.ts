/**
 * `$setWindowFields`: fields computed from the rows around each row, in its partition and in an order.
 *
 * The stage is written as others: the partition's value goes into a field of its own unless it is a field already, a
 * `$sort` brings the rows of a partition together, and this stage holds one partition at a time, and puts of it aside what does not fit in memory.
 */
import { CommandError, MADE_BATCH_ROWS } from "../../base/mod.ts";
import { BuiltDocument, type Collation, Document, equalValues, isArray, type Value } from "../../bson/mod.ts";
import { type QueryContext, scopeVariables } from "../context.ts";
import { inContext } from "../error_context.ts";
import { compileExpression, isConstant } from "../expression/compile.ts";
import {
  collationOf,
  type Evaluator,
  type Expression,
  type ParseContext,
  type Scope,
} from "../expression/expression.ts";
import { parseFieldPath, readPath } from "../expression/field_path.ts";
import { typeName } from "../expression/message.ts";
import { parseExpression } from "../expression/parse.ts";
import { keyedAs, withoutKey } from "../keyed_row.ts";
import { detached, RowCopies } from "../memory.ts";
import type { Rows } from "../source.ts";
import { type SpilledList, SpilledLists } from "../spilled_list.ts";
import { parseWindowFunction, windowFunction } from "../window/functions.ts";
import type { Column, Partition } from "../window/partition.ts";
import { PAUSE, PAUSE_ROWS, type WindowNode } from "../window/window.ts";
import { setAt } from "./nested_field.ts";
import type { ProjectStage } from "./project.ts";
import { RowWithFields } from "./row_with_fields.ts";
import { parseSortParts, type SortStage } from "./sort.ts";
import type { SortPart } from "./sort_key.ts";

/** What MongoDB says where rows do not fit in memory and the disk is not allowed. */
const NO_DISK = 5643011;
const NO_DISK_MESSAGE = "Exceeded max memory. Set 'allowDiskUse: true' to spill to disk";

export interface SetWindowFieldsStage {
  readonly kind: "setWindowFields";
  readonly partitionBy: Expression | undefined;
  readonly sortBy: readonly SortPart[];
  /** Which texts are one partition; undefined for those of the same bytes. */
  readonly collation?: Collation;
  readonly outputs: readonly WindowOutput[];
  /** As written, for `explain`. */
  readonly source: Document;
}

export interface WindowOutput {
  readonly path: readonly string[];
  readonly node: WindowNode;
}

/** Where the value of an expression that partitions stands while the stage runs. */
const PARTITION_FIELD = "__internal_setWindowFields_partition_key";

export function parseSetWindowFields(
  value: Value,
  context: ParseContext,
): readonly (ProjectStage | SortStage | SetWindowFieldsStage)[] {
  if (!(value instanceof Document)) {
    throw new CommandError(
      "FailedToParse",
      `the $setWindowFields stage specification must be an object, found ${typeName(value)}`,
    );
  }
  checkFields(value);
  const sortBy = value.get("sortBy");
  const sortParts = sortBy instanceof Document ? parseSortParts(sortBy, context) : [];
  const partitionBy = value.has("partitionBy")
    ? parsePartition(value.get("partitionBy"), context)
    : undefined;
  const outputs = parseOutputs(value.get("output") as Document, sortParts, context);
  const shared = collationOf(context);
  const stage = { kind: "setWindowFields", sortBy: sortParts, outputs, source: value, ...shared } as const;
  if (partitionBy === undefined) {
    const sort = sortParts.length === 0 ? [] : [sortStage(sortParts)];
    return [...sort, { ...stage, partitionBy }];
  }
  if (isField(partitionBy)) {
    const first = { path: partitionBy.path, descending: false, ...shared };
    return [sortStage([first, ...sortParts]), { ...stage, partitionBy }];
  }
  const key = { kind: "path", variable: "CURRENT", path: [PARTITION_FIELD] } as const;
  return [
    partitionField({ kind: "computed", expression: partitionBy }, "addition"),
    sortStage([{ path: key.path, descending: false, ...shared }, ...sortParts]),
    { ...stage, partitionBy: key },
    partitionField({ kind: "named" }, "exclusion"),
  ];
}

function checkFields(spec: Document): void {
  for (const name of spec.names()) {
    if (name !== "partitionBy" && name !== "sortBy" && name !== "output") {
      throw new CommandError(40415, `BSON field '$setWindowFields.${name}' is an unknown field.`);
    }
  }
  if (!spec.has("output")) {
    throw new CommandError(40414, "BSON field '$setWindowFields.output' is missing but a required field");
  }
  for (const name of ["sortBy", "output"]) {
    const value = spec.get(name);
    if (value === undefined || value instanceof Document) continue;
    throw new CommandError(
      "TypeMismatch",
      `BSON field '$setWindowFields.${name}' is the wrong type '${typeName(value)}', expected type 'object'`,
    );
  }
}

/** A constant partitions nothing. */
function parsePartition(value: Value, context: ParseContext): Expression | undefined {
  const expression = parseExpression(value, context);
  if (!isConstant(expression)) return expression;
  const evaluate = inContext(
    "Failed to optimize partitionBy expression",
    () => compileExpression(expression),
  );
  checkPartition(evaluate({ root: BuiltDocument.EMPTY, variables: new Map() }));
  return undefined;
}

function checkPartition(value: Value): void {
  if (!isArray(value)) return;
  throw new CommandError(
    "TypeMismatch",
    "An expression used to partition cannot evaluate to value of type array",
  );
}

function isField(expression: Expression): expression is Expression & { readonly kind: "path" } {
  return expression.kind === "path" && expression.path.length > 0 &&
    (expression.variable === "CURRENT" || expression.variable === "ROOT");
}

function sortStage(parts: readonly SortPart[]): SortStage {
  return { kind: "sort", parts, limit: undefined };
}

function partitionField(
  field: { readonly kind: "named" } | { readonly kind: "computed"; readonly expression: Expression },
  mode: "addition" | "exclusion",
): ProjectStage {
  const name = mode === "addition" ? "$addFields" : "$unset";
  const root = new Map([[PARTITION_FIELD, field]]);
  return { kind: "project", name, mode, root, arrays: [], source: PARTITION_FIELD };
}

function parseOutputs(
  output: Document,
  sortBy: readonly SortPart[],
  context: ParseContext,
): readonly WindowOutput[] {
  const names = output.names();
  const values = output.values();
  names.forEach((name) => {
    if (!names.some((other) => other.startsWith(`${name}.`))) return;
    throw new CommandError(
      6307900,
      "$setWindowFields 'output' specification contains two conflicting paths",
    );
  });
  return names.map((name, i) => {
    const spec = values[i];
    if (!(spec instanceof Document)) {
      throw new CommandError("FailedToParse", `The field '${name}' must be an object`);
    }
    return { path: parseFieldPath(name), node: parseWindowFunction(spec, sortBy, context) };
  });
}

export function runSetWindowFields(stage: SetWindowFieldsStage, input: Rows, context: QueryContext): Rows {
  const inputs = stage.outputs.map(({ node }) => compileExpression(node.input));
  const partitionBy = stage.partitionBy === undefined ? undefined : compileExpression(stage.partitionBy);
  return windowRows(stage, inputs, partitionBy, input, context);
}

async function* windowRows(
  stage: SetWindowFieldsStage,
  inputs: readonly Evaluator[],
  partitionBy: Evaluator | undefined,
  input: Rows,
  context: QueryContext,
): Rows {
  const variables = scopeVariables(context);
  const partition = new SortedRows(
    new SpilledLists(NO_DISK, NO_DISK_MESSAGE, context),
    stage.sortBy,
    variables,
  );
  let key: Value;
  for await (const batch of input) {
    for (const row of batch) {
      if (partitionBy !== undefined) {
        const value = partitionBy({ root: row, variables }) ?? null;
        checkPartition(value);
        if (partition.length > 0 && value !== key && !equalValues(value, key, stage.collation)) {
          yield* withOutputs(stage, inputs, partition, context);
        }
        key = detached(value);
      }
      partition.add(row);
    }
    await context.checkpoint();
  }
  yield* withOutputs(stage, inputs, partition, context);
}

/** The rows of a partition, which is empty then. */
async function* withOutputs(
  { outputs }: SetWindowFieldsStage,
  inputs: readonly Evaluator[],
  partition: SortedRows,
  context: QueryContext,
): Rows {
  const columns: Column[] = [];
  for (const [i, { node }] of outputs.entries()) {
    const column = partition.result();
    for (const value of windowFunction(node.name).compute(node, inputs[i]!, partition)) {
      if (value !== PAUSE) column.push(detached(value));
      if (value === PAUSE || column.length % PAUSE_ROWS === 0) await context.checkpoint();
    }
    partition.freeColumns();
    columns.push(column);
  }
  const withValues = rowsWith(outputs.map(({ path }) => path));
  for (let at = 0; at < partition.length; at += MADE_BATCH_ROWS) {
    const count = Math.min(MADE_BATCH_ROWS, partition.length - at);
    await context.checkpoint();
    yield Array.from(
      { length: count },
      (_, i) => withValues(partition.row(at + i), columns.map((column) => column.at(at + i))),
    );
  }
  partition.clear();
}

/** What sets the values at some paths of a row. */
function rowsWith(
  paths: readonly (readonly string[])[],
): (row: Document, values: readonly Value[]) => Document {
  if (paths.some((path) => path.length > 1)) {
    return (row, values) => paths.reduce((made, path, i) => setAt(made, path, 0, values[i]), row);
  }
  const names = paths.map(([name]) => name!);
  return (row, values) => keyedAs(row, new RowWithFields(withoutKey(row), names, values));
}

class SortedRows implements Partition {
  private readonly copies = new RowCopies();
  private rows: SpilledList;
  private columns: SpilledList[] = [];
  private sorted: Column | undefined;

  constructor(
    private readonly lists: SpilledLists,
    private readonly sortBy: readonly SortPart[],
    private readonly variables: Scope["variables"],
  ) {
    this.rows = lists.list();
  }

  get length(): number {
    return this.rows.length;
  }

  get isDescending(): boolean {
    return this.sortBy[0]?.descending === true;
  }

  add(row: Document): void {
    this.rows.push(this.copies.copyOf(row));
  }

  row(place: number): Document {
    return this.rows.at(place) as Document;
  }

  scope(row: number): Scope {
    return { root: this.row(row), variables: this.variables };
  }

  get sortValues(): Column {
    return this.sorted ??= lazily(
      this.lists.list(),
      (row) => readPath(this.row(row), this.sortBy[0]!.path, 0),
    );
  }

  /** For the values of an output. */
  result(): SpilledList {
    return this.lists.list();
  }

  column(make: (row: number) => Value): Column {
    const list = this.lists.list();
    this.columns.push(list);
    return lazily(list, make);
  }

  /** Lets go of the columns, all values of an output being there. */
  freeColumns(): void {
    for (const column of this.columns.splice(0)) this.lists.free(column);
  }

  clear(): void {
    this.lists.freeAll();
    this.columns = [];
    this.sorted = undefined;
    this.rows = this.lists.list();
  }
}

function lazily(list: SpilledList, make: (row: number) => Value): Column {
  return {
    at: (row) => {
      while (list.length <= row) list.push(detached(make(list.length)));
      return list.at(row);
    },
  };
}
