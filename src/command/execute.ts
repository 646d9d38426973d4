/** Runs one command: looks it up, checks what all commands have in common, writes its answer or its error. */
import { AssertionError, CommandError, MAX_INTERNAL_DOCUMENT_BYTES } from "../base/mod.ts";
import { aliasOfType, type BsonWriter, RawDocument } from "../bson/mod.ts";
import { Arguments } from "./arguments.ts";
import type { Client } from "./client.ts";
import { asksForTime, learnTime, writeTime } from "./cluster_time.ts";
import type { LatencyKind } from "./counters.ts";
import type { Command, CommandCall, CommandInput, Outcome } from "./command.ts";
import { findCommand } from "./commands.ts";
import { unmetFailure, withConcernError, writeOk } from "./concern_failure.ts";
import { tellsTopology, withLabels } from "./error_labels.ts";
import { writeError } from "./error_reply.ts";
import { failCommand } from "./fail_command.ts";
import { parseGenericArguments } from "./generic.ts";
import { MISSING_COMMANDS, missingCommand } from "./missing_commands.ts";
import { checkDatabaseName } from "./namespace.ts";
import { profileEntry } from "./profile_entry.ts";
import { checkReadLevel, readAfter } from "./read_concern.ts";
import type { OperationLabel } from "./operation.ts";
import { refuseNumber } from "./retryable.ts";
import { checkAllowedInTransaction, enterTransaction, writeRecoveryToken } from "./transactions.ts";
import type { ServerState } from "./state.ts";

const LEGACY_URL = "https://dochub.mongodb.org/core/legacy-opcode-removal";
const STABLE_API_URL = "https://dochub.mongodb.org/core/manual-versioned-api";
const NOTHING: Outcome = {};
const CLOSING: Outcome = { closes: true };
const MICROS_PER_MS = 1000;
/** What stands for the collection of a command that names none. */
const NO_COLLECTION = "$cmd";

/**
 * Runs a command and appends its whole answer, a document, to `reply`. Never throws for what a command did.
 *
 * @returns what remains to be done after the answer
 */
export function executeCommand(
  state: ServerState,
  client: Client,
  input: CommandInput,
  reply: BsonWriter,
): Promise<Outcome> {
  return (state.profiler.isOn ? answerProfiled : answerCommand)(state, client, input, reply);
}

async function answerProfiled(
  state: ServerState,
  client: Client,
  input: CommandInput,
  reply: BsonWriter,
): Promise<Outcome> {
  const start = reply.length;
  const startedMs = state.services.clock.monotonicMs();
  client.isProfiled = true;
  const outcome = await answerCommand(state, client, input, reply);
  client.isProfiled = false;
  const millis = state.services.clock.monotonicMs() - startedMs;
  if (reply.length > start) await profileCommand(state, client, input, reply.copyFrom(start), millis);
  client.examined = undefined;
  return outcome;
}

/** Writes a command down that names a collection, if its database is profiled. */
async function profileCommand(
  state: ServerState,
  client: Client,
  { body, db: given }: CommandInput,
  reply: Uint8Array,
  millis: number,
): Promise<void> {
  const args = new Arguments(body);
  const command = findCommand(nameOf(args));
  const db = given ?? args.string("$db");
  if (command === undefined || db === undefined) return;
  const label = labelOf(command, db, args);
  if (label.namespace === `${db}.${NO_COLLECTION}`) return;
  await state.profiler.note(db, millis, () => {
    const nowMs = state.services.clock.nowMs();
    const examined = command.kind === "write" ? undefined : client.examined;
    return profileEntry({ label, reply: new RawDocument(reply), millis, nowMs, client, examined });
  });
}

async function answerCommand(
  state: ServerState,
  client: Client,
  input: CommandInput,
  reply: BsonWriter,
): Promise<Outcome> {
  const start = reply.length;
  const startedMs = state.services.clock.monotonicMs();
  const times = state.services.router.clusterTime;
  let command: Command | undefined;
  let args: Arguments | undefined;
  try {
    checkSizes(input);
    args = new Arguments(input.body);
    const db = databaseOf(input, args);
    const name = nameOf(args);
    command = lookUp(name, input, state);
    const outcome = await run(state, command, { state, client, input, args, db, name }, reply);
    return client.endsUnanswered ? CLOSING : outcome ?? NOTHING;
  } catch (error) {
    reply.truncate(start);
    if (client.endsUnanswered) return CLOSING;
    const labelled = withLabels(asCommandError(state, error), { name: command?.name ?? "", args });
    writeError(reply, labelled, {
      times: asksForTime(new Arguments(input.body)) ? times : undefined,
      topologyVersion: tellsTopology(labelled.code) ? state.topology.version : undefined,
    });
    return NOTHING;
  } finally {
    count(state, command, (state.services.clock.monotonicMs() - startedMs) * MICROS_PER_MS);
  }
}

interface Request {
  readonly state: ServerState;
  readonly client: Client;
  readonly input: CommandInput;
  readonly args: Arguments;
  readonly db: string;
  readonly name: string;
}

async function run(
  state: ServerState,
  command: Command,
  request: Request,
  reply: BsonWriter,
): Promise<Outcome | void> {
  const { client, args, db, name, input } = request;
  if (!client.trusted && !command.open) throw accessRefused(client);
  checkDatabaseName(db);
  if (command.adminOnly && db !== "admin") {
    throw new CommandError("Unauthorized", `${command.name} may only be run against the admin database.`);
  }
  const { router, clock } = state.services;
  learnTime(args, router.clusterTime, clock.nowMs());
  const generic = parseGenericArguments(args);
  if (generic.apiStrict && !command.stableApi) throw notInStableApi(name);
  if (generic.apiDeprecationErrors && command.deprecated) throw deprecatedInStableApi(name);
  if (args.has("writeConcern") && !command.takesWriteConcern) {
    throw new CommandError("InvalidOptions", "Command does not support writeConcern");
  }
  if (generic.inTransaction) checkAllowedInTransaction(command, db, args, generic);
  else checkReadLevel(command.name, command.readConcerns ?? [], generic.readConcern);
  readAfter(router.clusterTime, generic.readConcern);
  if (input.sequences.length > 0 && !command.takesSequences) {
    throw new CommandError(40415, `BSON field '${name}.${input.sequences[0]!.name}' is an unknown field.`);
  }
  if (generic.txnNumber !== undefined && !generic.inTransaction && command.retryable !== true) {
    refuseNumber(command.name);
  }
  const session = generic.sessionId === undefined ? undefined : state.sessions.use(generic.sessionId);
  const operation = state.operations.begin(client, generic.maxTimeMs, labelOf(command, db, args));
  operation.clusterTime = router.clusterTime.latest;
  const release = generic.txnNumber === undefined ? undefined : await session?.checkOut();
  try {
    return await answer(command, {
      name,
      db,
      args,
      sequences: input.sequences,
      generic,
      exhaustAllowed: input.exhaustAllowed,
      client,
      session,
      transaction: undefined,
      atClusterTime: undefined,
      operation,
      state,
    }, reply);
  } finally {
    release?.();
    state.operations.end(operation);
    const micros = Math.round(operation.elapsedMs() * MICROS_PER_MS);
    const { op, namespace } = operation.label;
    state.counters.addLatency(latencyKindOf(command), namespace, micros);
    state.counters.usage.add(op, namespace, command.kind, micros);
  }
}

async function answer(command: Command, call: CommandCall, reply: BsonWriter): Promise<Outcome | void> {
  const { args, state } = call;
  const injected = state.failPoints && await failCommand(state.failPoints, command, call);
  const failure = injected ?? unmetFailure(command, call);
  try {
    // A cursor goes on reading the snapshot that it was opened in.
    const readsSnapshot = call.generic.readConcern.level === "snapshot" && command.name !== "getMore";
    const entersView = call.generic.inTransaction || readsSnapshot;
    const entered = entersView ? await entering(command, call) : call;
    const document = reply.beginDocument();
    const outcome = await runEntered(command, entered, reply);
    writeOk(reply, failure, command, call);
    if (entered.transaction !== undefined) writeRecoveryToken(reply, state.services);
    if (asksForTime(args)) writeTime(reply, state.services.router.clusterTime);
    reply.endDocument(document);
    return outcome;
  } catch (error) {
    throw failure === undefined ? error : withConcernError(error, failure);
  }
}

/** The call with the transaction that it runs in, or the snapshot that it reads. */
async function entering(command: Command, call: CommandCall): Promise<CommandCall> {
  const { state, session, args, generic, operation } = call;
  if (generic.inTransaction) {
    const transaction = await enterTransaction(state, session!, command, args, generic);
    operation.snapshot = transaction;
    return { ...call, transaction };
  }
  const { view, clusterTime } = state.snapshots.at(generic.readConcern.atClusterTime);
  operation.snapshot = view;
  return { ...call, atClusterTime: clusterTime };
}

/** A statement that fails ends its transaction. */
async function runEntered(command: Command, call: CommandCall, reply: BsonWriter): Promise<Outcome | void> {
  try {
    return await command.run(call, reply);
  } catch (error) {
    call.session?.failTransaction(call.transaction);
    throw error;
  }
}

/** A message may hold 48 MB, each document in it little more than 16. Those that are not checked yet are short. */
function checkSizes({ body, sequences }: CommandInput): void {
  checkSize(body);
  for (const { documents, areChecked } of sequences) if (areChecked) documents.forEach(checkSize);
}

function checkSize(document: RawDocument): void {
  const size = document.sizeBytes;
  if (size <= MAX_INTERNAL_DOCUMENT_BYTES) return;
  throw new CommandError(
    "BSONObjectTooLarge",
    `BSONObj size: ${size} (0x${size.toString(16).toUpperCase()}) is invalid. Size must be between 0 and ` +
      `${MAX_INTERNAL_DOCUMENT_BYTES}(16MB) First element: ${document.names()[0]}`,
  );
}

function databaseOf(input: CommandInput, args: Arguments): string {
  if (input.db !== undefined) return input.db;
  const db = args.get("$db");
  if (db === undefined) throw new CommandError(40571, "OP_MSG requests require a $db argument");
  if (typeof db !== "string") {
    throw new CommandError(13111, `wrong type for field ($db) ${aliasOfType(args.type("$db"))} != string`);
  }
  return db;
}

function nameOf(args: Arguments): string {
  for (const name of args.names()) return name;
  return "";
}

function lookUp(name: string, input: CommandInput, state: ServerState): Command {
  const found = findCommand(name);
  const command = found?.testOnly && !state.services.testCommands ? undefined : found;
  if (input.protocol === "query" && !(command?.open || command?.name === "buildInfo")) {
    throw new CommandError(
      "UnsupportedOpQueryCommand",
      `Unsupported OP_QUERY command: ${name}. The client driver may require an upgrade. For more details see ${LEGACY_URL}`,
    );
  }
  if (command === undefined && MISSING_COMMANDS.has(name)) return missingCommand(name);
  if (command === undefined) throw new CommandError("CommandNotFound", `no such command: '${name}'`);
  return command;
}

const OP_OF_COMMAND: Readonly<Record<string, string>> = {
  delete: "remove",
  find: "query",
  getMore: "getmore",
  insert: "insert",
  update: "update",
};

function labelOf(command: Command, db: string, args: Arguments): OperationLabel {
  const target = args.get(command.name === "getMore" ? "collection" : command.name);
  const collection = typeof target === "string" ? target : NO_COLLECTION;
  const op = OP_OF_COMMAND[command.name] ?? "command";
  return { op, namespace: `${db}.${collection}`, body: args.body };
}

function accessRefused(client: Client): CommandError {
  return new CommandError(
    "Unauthorized",
    `ChronoGo has no access control yet and serves only clients on its own machine, not ${client.remote}: ` +
      "connect from the machine it runs on, or start it with --insecure to serve everyone who can reach it",
  );
}

function notInStableApi(name: string): CommandError {
  return new CommandError(
    "APIStrictError",
    `Provided apiStrict:true, but the command ${name} is not in API Version 1. Information on supported commands ` +
      `and migrations in API Version 1 can be found at ${STABLE_API_URL}`,
  );
}

function deprecatedInStableApi(name: string): CommandError {
  return new CommandError(
    "APIDeprecationError",
    `Provided apiDeprecationErrors:true, but the command ${name} is deprecated in API Version 1`,
  );
}

/** Our own mistakes are logged with their stack; a broken invariant ends the process as well. */
function asCommandError(state: ServerState, error: unknown): CommandError {
  if (error instanceof CommandError) {
    state.counters.asserts.user++;
    return error;
  }
  state.counters.asserts.internal++;
  const stack = error instanceof Error ? error.stack ?? error.message : String(error);
  state.services.logger.error("a command failed", { stack });
  if (error instanceof AssertionError) state.services.onFatal(error);
  return new CommandError("InternalError", error instanceof Error ? error.message : String(error));
}

function latencyKindOf(command: Command | undefined): LatencyKind {
  if (command?.kind === "read") return "reads";
  return command?.kind === "write" ? "writes" : "commands";
}

function count(state: ServerState, command: Command | undefined, micros: number): void {
  const { latencies, opcounters } = state.counters;
  const kind = command?.kind;
  latencies[latencyKindOf(command)].add(Math.round(micros));
  if (command?.name === "find") opcounters.query++;
  else if (command?.name === "getMore") opcounters.getmore++;
  else if (kind !== "write") opcounters.command++;
}
