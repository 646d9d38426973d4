/**
 * `$graphLookup`: beside each row all rows of another collection that can be reached from it: from the values of
 * `startWith` to the rows whose `connectToField` is one of them, from those by `connectFromField` on, and so forth. One
 * query a step, breadth first; a row is found once, at its least depth.
 */
import { CommandError, MAX_BLOCKING_STAGE_BYTES } from "../../base/mod.ts";
import {
  BSONRegExp,
  type Collation,
  Document,
  isArray,
  isNumber,
  type Value,
  type ValueKey,
  valueKeys,
} from "../../bson/mod.ts";
import { type QueryContext, scopeVariables } from "../context.ts";
import { inContext } from "../error_context.ts";
import { compileExpression } from "../expression/compile.ts";
import { collationOf, type Evaluator, type Expression, type ParseContext } from "../expression/expression.ts";
import { parseFieldPath, readPath } from "../expression/field_path.ts";
import { renderDocument, typeName } from "../expression/message.ts";
import { asInt64, coerceToLong } from "../expression/number.ts";
import { parseExpression } from "../expression/parse.ts";
import { allOf, type Filter } from "../filter/filter.ts";
import { parseFilter } from "../filter/parse.ts";
import { regexSpecOf } from "../filter/regex.ts";
import { approximateBytes } from "../memory.ts";
import type { Rows } from "../source.ts";
import type { MatchStage } from "./match.ts";
import { setAt } from "./nested_field.ts";
import { type Foreign, openForeign, type SubPipelines } from "./sub_pipeline.ts";

export interface GraphLookupStage {
  readonly kind: "graphLookup";
  readonly from: string;
  readonly as: readonly string[];
  readonly startWith: Expression;
  readonly connectFrom: readonly string[];
  readonly connectTo: readonly string[];
  /** How many steps beyond the first; undefined for as many as there are. */
  readonly maxDepth: number | undefined;
  /** Where the step at which a row was found is noted. */
  readonly depthField: readonly string[] | undefined;
  readonly restriction: Filter | undefined;
  /** Which texts are equal; undefined for those of the same bytes. */
  readonly collation?: Collation;
  /** As written, for `explain`. */
  readonly source: Document;
}

export function parseGraphLookup(value: Value, context: ParseContext): GraphLookupStage {
  if (!(value instanceof Document)) {
    throw new CommandError(
      "FailedToParse",
      `the $graphLookup stage specification must be an object, but found ${typeName(value)}`,
    );
  }
  checkFrom(value);
  const texts = new Map<string, string>();
  let startWith: Expression | undefined;
  let maxDepth: number | undefined;
  let restriction: Filter | undefined;
  const values = value.values();
  value.names().forEach((name, i) => {
    const argument = values[i];
    switch (name) {
      case "startWith":
        startWith = parseExpression(argument, context);
        return;
      case "maxDepth":
        maxDepth = parseMaxDepth(argument);
        return;
      case "restrictSearchWithMatch":
        restriction = parseRestriction(argument, context);
        return;
    }
    if (!["from", "as", "connectFromField", "connectToField", "depthField"].includes(name)) {
      throw new CommandError(40104, `Unknown argument to $graphLookup: ${name}`);
    }
    if (typeof argument !== "string") {
      throw new CommandError(
        40103,
        `expected string as argument for ${name}, found: ${typeName(argument)}`,
      );
    }
    texts.set(name, argument);
  });
  const [from, as] = [texts.get("from"), texts.get("as")];
  const [connectFrom, connectTo] = [texts.get("connectFromField"), texts.get("connectToField")];
  if (
    from === undefined || as === undefined || startWith === undefined || connectFrom === undefined ||
    connectTo === undefined
  ) {
    throw new CommandError(
      40105,
      "$graphLookup requires 'from', 'as', 'startWith', 'connectFromField', and 'connectToField' to be specified.",
    );
  }
  const depthField = texts.get("depthField");
  return {
    kind: "graphLookup",
    from,
    as: parseFieldPath(as),
    startWith,
    connectFrom: parseFieldPath(connectFrom),
    connectTo: parseFieldPath(connectTo),
    maxDepth,
    depthField: depthField === undefined ? undefined : parseFieldPath(depthField),
    restriction,
    source: value,
    ...collationOf(context),
  };
}

function checkFrom(spec: Document): void {
  const from = spec.get("from");
  if (from === undefined) {
    throw new CommandError(
      "FailedToParse",
      `missing 'from' option to $graphLookup stage specification: ${renderDocument(spec)}`,
    );
  }
  if (typeof from === "string") return;
  throw new CommandError(
    "FailedToParse",
    `$graphLookup 'from' field must be a string, but found ${typeName(from)}`,
  );
}

function parseMaxDepth(value: Value): number {
  if (!isNumber(value)) {
    throw new CommandError(
      40100,
      `maxDepth must be numeric, found type: ${typeName(value)}`,
    );
  }
  const depth = asInt64(value);
  if (depth !== undefined && depth < 0n) {
    throw new CommandError(40101, `maxDepth requires a nonnegative argument, found: ${depth}`);
  }
  if (depth === undefined) {
    throw new CommandError(
      40102,
      `maxDepth could not be represented as a long long: ${coerceToLong(value)}`,
    );
  }
  return Number(depth);
}

function parseRestriction(value: Value, context: ParseContext): Filter {
  if (value instanceof Document) {
    return inContext(
      "Failed to parse 'restrictSearchWithMatch' option to $graphLookup",
      () => parseFilter(value, context),
    );
  }
  throw new CommandError(
    40185,
    `restrictSearchWithMatch must be an object, found ${typeName(value)}`,
  );
}

export async function* runGraphLookup<Stage>(
  stage: GraphLookupStage,
  input: Rows,
  context: QueryContext,
  pipelines: SubPipelines<Stage | MatchStage>,
): Rows {
  const foreign = openForeign(stage.from, context, pipelines);
  const variables = scopeVariables(context);
  let startWith: Evaluator | undefined;
  for await (const batch of input) {
    for (const row of batch) {
      // MongoDB computes even a constant first where it meets a row.
      startWith ??= compileExpression(stage.startWith);
      const start = startWith({ root: row, variables });
      const search = new Search(stage, foreign, context, pipelines);
      yield [setAt(row, stage.as, 0, await search.from(valuesOf(start)))];
      await context.checkpoint();
    }
  }
}

/** An array stands for its items, what is missing for nothing: unlike null it equals no missing field. */
function valuesOf(value: Value): readonly Value[] {
  if (isArray(value)) return value;
  return value === undefined ? [] : [value];
}

/** What can be reached from one row. */
class Search<Stage> {
  private readonly asked = new Set<ValueKey>();
  private readonly found = new Map<ValueKey, Document>();
  private bytes = 0;
  private readonly keyOf: (value: Value) => ValueKey;

  constructor(
    private readonly stage: GraphLookupStage,
    private readonly foreign: Foreign<Stage | MatchStage>,
    private readonly context: QueryContext,
    private readonly pipelines: SubPipelines<Stage | MatchStage>,
  ) {
    this.keyOf = valueKeys(stage.collation);
  }

  async from(start: readonly Value[]): Promise<readonly Document[]> {
    const { maxDepth = Infinity } = this.stage;
    let frontier = this.unasked(start);
    for (let depth = 0; frontier.length > 0 && depth <= maxDepth; depth++) {
      const next: Value[] = [];
      for await (const batch of this.matching(frontier)) {
        for (const document of batch) this.take(document, depth, next);
        await this.context.checkpoint();
      }
      frontier = this.unasked(next);
    }
    return [...this.found.values()];
  }

  private unasked(values: readonly Value[]): readonly Value[] {
    return values.filter((value) => {
      const key = this.keyOf(value);
      if (this.asked.has(key)) return false;
      this.asked.add(key);
      return true;
    });
  }

  private matching(values: readonly Value[]): Rows {
    const { connectTo: path, restriction, source } = this.stage;
    // As with $in, a pattern is linked with what it matches.
    const patterns = values.filter((value) => value instanceof BSONRegExp);
    const filters: Filter[] = [{
      kind: "in",
      path,
      values: values.filter((value) => !(value instanceof BSONRegExp)),
      patterns: patterns.map(regexSpecOf),
      ...collationOf(this.stage),
    }];
    // Null is linked with null, never with what is missing.
    if (values.includes(null)) filters.push({ kind: "exists", path });
    if (restriction !== undefined) filters.push(restriction);
    const filter = allOf(filters);
    const match: MatchStage = { kind: "match", filter, source };
    return this.pipelines.run([...this.foreign.stages, match], this.foreign.source, this.context);
  }

  private take(document: Document, depth: number, next: Value[]): void {
    const { connectFrom, depthField } = this.stage;
    const id = this.keyOf(document.get("_id"));
    if (this.found.has(id)) return;
    this.bytes += approximateBytes(document);
    if (this.bytes > MAX_BLOCKING_STAGE_BYTES) {
      throw new CommandError(40099, "$graphLookup reached maximum memory consumption");
    }
    this.found.set(id, depthField === undefined ? document : setAt(document, depthField, 0, BigInt(depth)));
    const value = readPath(document, connectFrom, 0);
    if (value !== undefined) next.push(...flattened(value));
  }
}

/** The values in an array, and in arrays of it. */
function flattened(value: Value): readonly Value[] {
  return isArray(value) ? value.flatMap(flattened) : [value];
}
