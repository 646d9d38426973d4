/**
 * What the fail point `failCommand` does to the commands that its data names:
 *
 *     failCommands        names, by any spelling; configureFailPoint itself never fails
 *     failAllCommands     instead of names
 *     appName, namespace, threadName   only clients of that name, commands on that `db.collection`, that connection
 *     blockConnection, blockTimeMS     the command waits first; the wait counts towards its maxTimeMS
 *     closeConnection     the connection closes, and nothing is answered
 *     errorCode           the command is not run and answers this error
 *     writeConcernError   the command is run, and its answer has this error as well
 *     errorLabels         the labels of either error, instead of those that it would have
 */
import { CommandError } from "../base/mod.ts";
import { Document, isArray, type Value } from "../bson/mod.ts";
import { numberOf } from "./arguments.ts";
import type { Client } from "./client.ts";
import type { Command, CommandCall } from "./command.ts";
import type { ConcernFailure } from "./concern_failure.ts";
import type { FailPoint } from "./fail_point.ts";
import type { FailPoints } from "./fail_points.ts";

const MESSAGE = "Failing command via 'failCommand' failpoint";
/** A wait is looked after so often: a kill, the client's going away and the time limit end it. */
const LOOK_AFTER_MS = 10;

/**
 * Blocks, closes or fails a command that has not run yet, if the fail point says so.
 *
 * @returns what its answer has to have, if it may run
 * @throws CommandError
 */
export async function failCommand(
  { failCommand }: FailPoints,
  command: Command,
  call: CommandCall,
): Promise<ConcernFailure | undefined> {
  await failBefore(failCommand, command, call);
  return command.takesWriteConcern ? concernFailure(failCommand, command, call) : undefined;
}

/** Blocks, closes or fails a command that has not run yet. */
async function failBefore(failPoint: FailPoint, command: Command, call: CommandCall): Promise<void> {
  const data = failPoint.enterIf((data) =>
    (isTrue(data.get("closeConnection")) || isTrue(data.get("blockConnection")) ||
      data.get("errorCode") !== undefined) && names(data, command, call)
  );
  if (data === undefined) return;
  if (isTrue(data.get("blockConnection"))) await block(call, data.get("blockTimeMS"));
  if (isTrue(data.get("closeConnection"))) return endUnanswered(call.client);
  const code = data.get("errorCode");
  if (code === undefined) return;
  const labels = labelsOf(data);
  throw new CommandError(
    numberOf(code),
    MESSAGE,
    labels === undefined ? {} : { errorLabels: labels, labelsAreFinal: true },
  );
}

function endUnanswered(client: Client): never {
  client.endsUnanswered = true;
  throw new CommandError(50985, "Failing command via 'failCommand' failpoint. Action: close connection.");
}

function concernFailure(
  failPoint: FailPoint,
  command: Command,
  call: CommandCall,
): ConcernFailure | undefined {
  const data = failPoint.enterIf((data) =>
    data.get("writeConcernError") instanceof Document && names(data, command, call)
  );
  const error = data?.get("writeConcernError");
  if (data === undefined || !(error instanceof Document)) return undefined;
  return { error, labels: labelsOf(data), fits: () => true };
}

function names(data: Document, command: Command, call: CommandCall): boolean {
  const { client, operation } = call;
  if (command.name === "configureFailPoint") return false;
  const appName = data.get("appName");
  if (appName !== undefined && appName !== appNameOf(call)) return false;
  const threadName = data.get("threadName");
  if (threadName !== undefined && threadName !== `conn${client.id}`) return false;
  const namespace = data.get("namespace");
  if (namespace !== undefined && namespace !== operation.label.namespace) return false;
  if (isTrue(data.get("failAllCommands"))) return true;
  const listed = data.get("failCommands");
  if (!isArray(listed)) return false;
  return listed.includes(command.name) || (command.aliases ?? []).some((alias) => listed.includes(alias));
}

/** A client says its name with its first hello, which may fail itself. */
function appNameOf({ client, args }: CommandCall): Value {
  const metadata = client.metadata ?? args.get("client");
  const application = metadata instanceof Document ? metadata.get("application") : undefined;
  return application instanceof Document ? application.get("name") : undefined;
}

function labelsOf(data: Document): readonly string[] | undefined {
  const labels = data.get("errorLabels");
  return isArray(labels) ? labels.filter((label) => typeof label === "string") : undefined;
}

function isTrue(value: Value): boolean {
  return value === true || (value !== undefined && value !== false && numberOf(value) > 0);
}

async function block({ operation }: CommandCall, time: Value): Promise<void> {
  if (time === undefined) {
    throw new CommandError("InvalidOptions", "must specify 'blockTimeMS' when 'blockConnection' is true");
  }
  const waitMs = numberOf(time);
  if (!(waitMs >= 0)) throw new CommandError("InvalidOptions", "'blockTimeMS' must be non-negative");
  const { clock } = operation;
  for (const untilMs = clock.monotonicMs() + waitMs;;) {
    operation.check();
    const leftMs = untilMs - clock.monotonicMs();
    if (leftMs <= 0) return;
    await new Promise<void>((resolve) => void clock.after(Math.min(leftMs, LOOK_AFTER_MS), resolve));
  }
}
