/** `explain`: how reads run, and how writes find what they write. */
import { CommandError } from "../base/mod.ts";
import { type BsonWriter, RawDocument } from "../bson/mod.ts";
import { parseCountCommand, parseDistinct, parsePipeline, type Pipeline } from "../query/mod.ts";
import type { Namespace } from "../cluster/mod.ts";
import { parseAggregateArguments, requireCursor } from "./aggregate.ts";
import { Arguments, checkFields, type FieldTable } from "./arguments.ts";
import { changeStreamPlan, isChangeStream } from "./change_stream.ts";
import { collationFor } from "./collation.ts";
import type { Command, CommandCall } from "./command.ts";
import { parseCountArguments } from "./count.ts";
import { parseDistinctArguments } from "./distinct.ts";
import { explainInto, writePlan } from "./explain_reply.ts";
import { explainWrite, isExplainableWrite } from "./explain_write.ts";
import { checkShown, findPipeline } from "./find.ts";
import { parseFindArguments } from "./find_arguments.ts";
import { withGeoKeys } from "./geo_key.ts";
import { isGenericArgument } from "./generic.ts";
import { withKeyBounds } from "./key_bounds.ts";
import { type LetVariables, letVariables } from "./let_variables.ts";
import { namespaceToRead } from "./namespace.ts";
import { QueryWork } from "./operation.ts";
import { allowsDiskUse, checkHint, withHint } from "./query_options.ts";

const FIELDS: FieldTable = { explain: "object!", verbosity: "string" };
const VERBOSITIES: readonly string[] = ["queryPlanner", "executionStats", "allPlansExecution"];

type PipelineOf = (call: CommandCall, namespace: Namespace, variables: LetVariables) => Pipeline;

/** The reads that can be explained. */
const EXPLAINABLE: Readonly<Record<string, PipelineOf>> = {
  find: (call, namespace, { context }) => {
    const { spec } = parseFindArguments(call.args);
    checkShown(call, namespace, spec);
    return findPipeline(withKeyBounds(call, namespace, spec), context);
  },
  aggregate: ({ args, state }, namespace, { context }) => {
    const stages = parseAggregateArguments(args);
    requireCursor(args);
    return parsePipeline(withGeoKeys(state.services.router, namespace, stages), context);
  },
  count: ({ args }, _, { context }) => parseCountCommand(parseCountArguments(args), context),
  distinct: ({ args }, _, { context }) => parseDistinct(parseDistinctArguments(args), context),
};

/** @param isCommand whether there is a command of that name at all */
export function explainCommand(isCommand: (name: string) => boolean): Command {
  return {
    name: "explain",
    help: "explain how a read or a write runs",
    stableApi: true,
    run: (call, reply) => runExplain(call, reply, isCommand),
  };
}

async function runExplain(
  call: CommandCall,
  reply: BsonWriter,
  isCommand: (name: string) => boolean,
): Promise<void> {
  checkFields(call.args, "explain", FIELDS, isGenericArgument);
  const verbosity = call.args.string("verbosity") ?? "allPlansExecution";
  if (!VERBOSITIES.includes(verbosity)) {
    throw new CommandError(
      "BadValue",
      `Enumeration value '${verbosity}' for field 'explain.verbosity' is not a valid value.`,
    );
  }
  const command = call.args.get("explain") as RawDocument;
  const args = new Arguments(command);
  const name = command.names()[0] ?? "";
  const pipelineOf = Object.hasOwn(EXPLAINABLE, name) ? EXPLAINABLE[name] : undefined;
  if (pipelineOf === undefined && !isExplainableWrite(name)) throw notExplainable(name, isCommand);
  const db = args.string("$db");
  if (db !== undefined && db !== call.db) {
    throw new CommandError(
      "InvalidNamespace",
      `Mismatched $db in explain command. Expected ${call.db} but got ${db}`,
    );
  }
  const explained = { ...call, name, args, sequences: [] };
  if (pipelineOf === undefined) {
    return writePlan(call, reply, await explainWrite(explained, verbosity), command);
  }
  const stages = name === "aggregate" ? parseAggregateArguments(args) : [];
  if (isChangeStream(stages)) return writePlan(call, reply, changeStreamPlan(explained, stages), command);
  const namespace = namespaceToRead(explained);
  const variables = letVariables(args, call.operation, collationFor(explained, namespace));
  checkHint(call, namespace, args.get("hint"));
  const pipeline = withHint(pipelineOf(explained, namespace, variables), args);
  const work = new QueryWork(call.operation, variables.values, allowsDiskUse(args));
  await explainInto(call, reply, { namespace, pipeline, work, verbosity, command });
}

function notExplainable(name: string, isCommand: (name: string) => boolean): CommandError {
  if (name === "explain") return new CommandError("IllegalOperation", "Explain cannot explain itself.");
  if (isCommand(name)) return new CommandError("IllegalOperation", `Cannot explain cmd: ${name}`);
  return new CommandError("CommandNotFound", `Explain failed due to unknown command: ${name}`);
}
