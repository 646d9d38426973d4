/** How an update, a delete or a findAndModify would find its documents, and to how many it would do what; nothing is written. */
import { CommandError } from "../base/mod.ts";
import { BuiltDocument, Document, type Value } from "../bson/mod.ts";
import type { Namespace, WriteStatement } from "../cluster/mod.ts";
import { countValue, parseFind, WritePlan } from "../query/mod.ts";
import type { CommandCall } from "./command.ts";
import { parseDeletes } from "./delete.ts";
import { parseFindAndModify } from "./find_and_modify.ts";
import { letVariables } from "./let_variables.ts";
import { namespaceToWrite } from "./namespace.ts";
import { QueryWork } from "./operation.ts";
import type { ParsedStatement } from "./statements.ts";
import { parseUpdates } from "./update.ts";

type ParseStatements = (call: CommandCall, namespace: Namespace) => readonly ParsedStatement[];

/** The writes that can be explained. */
const EXPLAINABLE: Readonly<Record<string, ParseStatements>> = {
  delete: parseDeletes,
  findAndModify: (call, namespace) => [parseFindAndModify(call, namespace)],
  findandmodify: (call, namespace) => [parseFindAndModify(call, namespace)],
  update: parseUpdates,
};

export function isExplainableWrite(name: string): boolean {
  return Object.hasOwn(EXPLAINABLE, name);
}

/**
 * The plan of a write, without the command's own fields.
 *
 * @param call of the write itself
 */
export async function explainWrite(call: CommandCall, verbosity: string): Promise<Document> {
  const namespace = namespaceToWrite(call);
  const statements = EXPLAINABLE[call.name]!(call, namespace);
  if (statements.length !== 1) {
    throw new CommandError("InvalidLength", "explained write batches must be of size 1");
  }
  const statement = statements[0]!;
  if (statement instanceof CommandError) throw statement;
  const variables = letVariables(call.args, call.operation, statement.collation);
  const work = new QueryWork(call.operation, variables.values);
  const plan = new WritePlan({
    filter: statement.filter,
    collation: statement.collation,
    update: statement.kind === "update" ? statement : undefined,
    sort: statement.sort,
  }, work);
  const read = parseFind({
    filter: statement.filter,
    sort: statement.sort,
    limit: statement.multi === true ? 0 : 1,
  }, variables.context);
  const find = statement.hint === undefined ? read : { ...read, hint: statement.hint };
  const { router } = call.state.services;
  const found = await router.explain(namespace, find, work, verbosity);
  const matching: Document[] = [];
  if (verbosity !== "queryPlanner") {
    for await (const batch of router.query(namespace, find, work)) matching.push(...batch);
  }
  return wrapped(found, statement, plan, matching);
}

/** The plan of the find with the write's own stage around it. */
function wrapped(
  found: Document,
  statement: WriteStatement,
  plan: WritePlan,
  matching: readonly Document[],
): Document {
  const stage = statement.kind.toUpperCase();
  const returned = returnedBy(statement, matching);
  const fields: Record<string, Value> = {};
  const values = found.values();
  found.names().forEach((name, i) => fields[name] = values[i]);
  const planner = fields["queryPlanner"];
  const input = withoutLimit(planner instanceof Document ? planner.get("winningPlan") : undefined);
  const inputName = input instanceof Document ? input.get("stage") : undefined;
  if (planner instanceof Document) {
    const isShort = inputName === "EOF" || inputName === "IDHACK";
    fields["queryPlanner"] = withFields(planner, {
      winningPlan: inputName === "EOF" ? input : BuiltDocument.of({ stage, inputStage: input }),
      ...(isShort && { parsedQuery: undefined }),
    });
  }
  // There is no collection.
  if (inputName === "EOF") return BuiltDocument.of(fields);
  const run = fields["executionStats"];
  if (run instanceof Document) {
    const input = withoutLimit(run.get("executionStages"));
    fields["executionStats"] = withFields(run, {
      nReturned: countValue(returned),
      executionStages: BuiltDocument.of({
        stage,
        nReturned: countValue(returned),
        ...workOf(input, matching.length, returned),
        ...effects(statement, plan, matching),
        inputStage: input,
      }),
    });
  }
  return BuiltDocument.of(fields);
}

function returnedBy(statement: WriteStatement, matching: readonly Document[]): number {
  const { returning } = statement;
  if (returning === undefined) return 0;
  return wouldUpsert(statement, matching) && returning.which === "after" ? 1 : matching.length;
}

function wouldUpsert(statement: WriteStatement, matching: readonly Document[]): boolean {
  return statement.kind === "update" && statement.upsert === true && matching.length === 0;
}

function withFields(document: Document, fields: Readonly<Record<string, Value>>): Document {
  const entries = document.names().map((name) => [name, name in fields ? fields[name] : document.get(name)]);
  return BuiltDocument.of(Object.fromEntries(entries));
}

/** That one document is enough is the write's own matter. */
function withoutLimit(stage: Value): Value {
  if (!(stage instanceof Document)) return stage;
  if (stage.get("stage") === "LIMIT") return stage.get("inputStage");
  if (stage.get("stage") !== "SUBPLAN") return stage;
  return withFields(stage, { inputStage: withoutLimit(stage.get("inputStage")) });
}

const WORK_FIELDS = [
  "executionTimeMillisEstimate",
  "works",
  "advanced",
  "needTime",
  "needYield",
  "saveState",
  "restoreState",
  "isEOF",
];

/** It works on every document that comes in, and once more; only some writes give documents. */
function workOf(input: Value, matched: number, returned: number): Readonly<Record<string, Value>> {
  if (!(input instanceof Document)) return {};
  return {
    ...Object.fromEntries(WORK_FIELDS.map((name) => [name, input.get(name)])),
    works: countValue(matched + 1),
    advanced: countValue(returned),
    needTime: countValue(Math.max(0, matched - returned)),
  };
}

function effects(
  statement: WriteStatement,
  plan: WritePlan,
  matching: readonly Document[],
): Readonly<Record<string, Value>> {
  if (statement.kind === "delete") return { nWouldDelete: countValue(matching.length) };
  // What cannot be updated is an error here, too. A document that would stay as it is counts as changed, as in MongoDB.
  for (const document of matching) plan.updated(document);
  return {
    nMatched: countValue(matching.length),
    nWouldModify: countValue(matching.length),
    nWouldUpsert: countValue(wouldUpsert(statement, matching) ? 1 : 0),
  };
}
