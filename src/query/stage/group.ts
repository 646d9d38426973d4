/**
 * `$group`: rows with the same `_id` become one. Groups come out in the order in which they were first seen; where they
 * do not fit in memory and are put aside (group_runs.ts), by `_id`.
 *
 * Values are the same when they are equal in BSON order, whatever their numeric type. A missing value is null, also as
 * the only field of an object; among several it stays missing. An `_id` that is an object of expressions is looked up
 * field by field, level by level, so that no document is made for a row whose group exists.
 */
import { CommandError, takeLongWork } from "../../base/mod.ts";
import { BuiltDocument, type Collation, Document, isNumber, type Value, valueOrder } from "../../bson/mod.ts";
import { type QueryContext, scopeVariables } from "../context.ts";
import { compileExpression } from "../expression/compile.ts";
import {
  collationOf,
  type Evaluator,
  type Expression,
  type ParseContext,
  type Scope,
} from "../expression/expression.ts";
import { parseExpression } from "../expression/parse.ts";
import { approximateBytes, MemoryMeter } from "../memory.ts";
import { inBatches } from "../rows.ts";
import type { Rows } from "../source.ts";
import { ValueMap } from "../value_map.ts";
import { GroupRuns } from "./group_runs.ts";
import { documentOfGroup, type Group, type Output, OutputFactory, parseOutput } from "./output.ts";

const MEMORY_MESSAGE = "Exceeded memory limit for $group, but didn't allow external spilling;" +
  " pass allowDiskUse:true to opt in";

export interface GroupStage {
  readonly kind: "group";
  readonly id: Expression;
  readonly outputs: readonly Output[];
  /** Which texts are one group; undefined for those of the same bytes. */
  readonly collation?: Collation;
  /** As written, for `explain`. */
  readonly source: Document;
}

export function parseGroup(value: Value, context: ParseContext): GroupStage {
  if (!(value instanceof Document)) {
    throw new CommandError(15947, "a group's fields must be specified in an object");
  }
  let id: Expression | undefined;
  const outputs: Output[] = [];
  const values = value.values();
  value.names().forEach((name, i) => {
    if (name === "_id") {
      if (id !== undefined) throw new CommandError(15948, "a group's _id may only be specified once");
      id = parseId(values[i], context);
    } else {
      outputs.push(parseOutput(name, values[i], context));
    }
  });
  if (id === undefined) throw new CommandError(15955, "a group specification must include an _id");
  return { kind: "group", id, outputs, source: value, ...collationOf(context) };
}

function parseId(value: Value, context: ParseContext): Expression {
  if (value instanceof Document && !value.names()[0]?.startsWith("$")) {
    if (value.values().some((field) => isNumber(field) || typeof field === "boolean")) {
      throw new CommandError(17390, "$group does not support inclusion-style expressions");
    }
  }
  return parseExpression(value, context);
}

export function runGroup(stage: GroupStage, input: Rows, context: QueryContext): Rows {
  const factory = new OutputFactory(stage.outputs);
  // Now, before the first row: a constant part may fail.
  const find = newFinder(stage, factory);
  return groupRows(stage, find, factory, input, context);
}

/** @throws CommandError when a constant part of the expression fails */
function newFinder(stage: GroupStage, factory: OutputFactory): GroupFinder<Group> {
  return groupFinder(stage, (id): Group => ({ id, state: factory.create(id) }));
}

async function* groupRows(
  stage: GroupStage,
  firstFinder: GroupFinder<Group>,
  factory: OutputFactory,
  input: Rows,
  context: QueryContext,
): Rows {
  const variables = scopeVariables(context);
  const meter = new MemoryMeter(MEMORY_MESSAGE, context.memory);
  const runs = context.memory && new GroupRuns(context.memory, factory, {
    keyOf: (group) => group.id,
    compare: valueOrder(stage.collation),
  });
  let find = firstFinder;
  let groups: Group[] = [];
  let fits = true;
  const onNew = (group: Group) => {
    fits = meter.tryAdd(approximateBytes(group.id) + factory.stateBytes);
    groups.push(group);
  };
  for await (const batch of input) {
    for (const root of batch) {
      const scope: Scope = { root, variables };
      fits = meter.tryAdd(find(scope, onNew).state.add(scope)) && fits;
      if (takeLongWork()) await context.checkpoint();
      if (fits) continue;
      if (runs === undefined || !meter.maySpill) throw meter.exceeded();
      await runs.add(groups, context);
      meter.reset();
      find = newFinder(stage, factory);
      groups = [];
      fits = true;
    }
    await context.checkpoint();
  }
  if (runs === undefined || runs.isEmpty) yield* inBatches(groups.map(documentOfGroup), context);
  else yield* runs.documents(groups, context);
}

/** The group of a row; a new one is announced first. */
export type GroupFinder<T> = (scope: Scope, onNew: (group: T) => void) => T;

/**
 * @param make makes the group of an _id
 * @throws CommandError when a constant part of the expression fails
 */
export function groupFinder<T>(
  { id, collation }: Pick<GroupStage, "id" | "collation">,
  make: (id: Value) => T,
): GroupFinder<T> {
  if (id.kind === "object" && id.fields.length > 0) {
    return objectGroupFinder(id.names, id.fields.map(compileExpression), make, collation);
  }
  const evaluate = compileExpression(id);
  const groups = new ValueMap<T>(collation);
  return (scope, onNew) => {
    const value = evaluate(scope) ?? null;
    const known = groups.get(value);
    if (known !== undefined) return known;
    const group = make(value);
    groups.set(value, group);
    onNew(group);
    return group;
  };
}

interface Level<T> extends ValueMap<Level<T> | T> {}

function objectGroupFinder<T>(
  names: readonly string[],
  fields: readonly Evaluator[],
  make: (id: Value) => T,
  collation: Collation | undefined,
): GroupFinder<T> {
  const root: Level<T> = new ValueMap(collation);
  const last = fields.length - 1;
  const values = new Array<Value>(fields.length);
  const missing = fields.length === 1 ? null : undefined;
  return (scope, onNew) => {
    let level = root;
    for (let i = 0; i < last; i++) {
      const value = fields[i]!(scope);
      values[i] = value;
      let next = level.get(value) as Level<T> | undefined;
      if (next === undefined) level.set(value, next = new ValueMap(collation));
      level = next;
    }
    const found = fields[last]!(scope);
    const value = found === undefined ? missing : found;
    values[last] = value;
    const known = level.get(value) as T | undefined;
    if (known !== undefined) return known;
    const group = make(documentOf(names, values));
    level.set(value, group);
    onNew(group);
    return group;
  };
}

function documentOf(names: readonly string[], values: readonly Value[]): Document {
  const present = names.filter((_, i) => values[i] !== undefined);
  return new BuiltDocument(present, values.filter((value) => value !== undefined));
}
