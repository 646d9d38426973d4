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
  const returned = countValue(statement.returning === undefined ? 0 : matching.length);
  const fields: Record<string, Value> = {};
  const values = found.values();
  found.names().forEach((name, i) => fields[name] = values[i]);
  const planner = fields["queryPlanner"];
  if (planner instanceof Document) {
    fields["queryPlanner"] = withFields(planner, {
      winningPlan: BuiltDocument.of({ stage, inputStage: withoutLimit(planner.get("winningPlan")) }),
    });
  }
  const run = fields["executionStats"];
  if (run instanceof Document) {
    const input = withoutLimit(run.get("executionStages"));
    fields["executionStats"] = withFields(run, {
      nReturned: returned,
      executionStages: BuiltDocument.of({
        stage,
        nReturned: returned,
        ...workOf(input),
        ...effects(statement, plan, matching),
        inputStage: input,
      }),
    });
  }
  return BuiltDocument.of(fields);
}

function withFields(document: Document, fields: Readonly<Record<string, Value>>): Document {
  const names = document.names();
  return new BuiltDocument(names, names.map((name) => name in fields ? fields[name] : document.get(name)));
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

function workOf(input: Value): Readonly<Record<string, Value>> {
  if (!(input instanceof Document)) return {};
  return Object.fromEntries(WORK_FIELDS.map((name) => [name, input.get(name)]));
}

function effects(
  statement: WriteStatement,
  plan: WritePlan,
  matching: readonly Document[],
): Readonly<Record<string, Value>> {
  if (statement.kind === "delete") return { nWouldDelete: countValue(matching.length) };
  const changed = matching.filter((document) => plan.updated(document) !== document);
  return {
    nMatched: countValue(matching.length),
    nWouldModify: countValue(changed.length),
    nWouldUpsert: countValue(matching.length === 0 && statement.upsert === true ? 1 : 0),
  };
}
