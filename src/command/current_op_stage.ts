/** `$currentOp`: the operations that run now, one document each. */
import { CommandError } from "../base/mod.ts";
import { aliasOfType, BuiltDocument, Document, Int32, typeOf, type Value } from "../bson/mod.ts";
import type { CommandCall } from "./command.ts";
import { int64 } from "./numbers.ts";
import type { Operation } from "./operation.ts";
import { applicationOf, shownCommand } from "./profile_entry.ts";

const MICROS_PER_MS = 1000;
/** What is asked about, and whose; all of it is shown to everybody in any case. */
const ACCESS_OPTIONS: ReadonlySet<string> = new Set(["allUsers", "localOps"]);
const OPTIONS: ReadonlySet<string> = new Set([
  ...ACCESS_OPTIONS,
  "backtrace",
  "idleConnections",
  "idleCursors",
  "idleSessions",
  // Since 7.1.
  "targetAllNodes",
  "truncateOps",
]);

/** What MongoDB reads before it knows where the stage runs. @throws CommandError TypeMismatch */
export function checkCurrentOpAccess(spec: Value): asserts spec is Document {
  if (!(spec instanceof Document)) {
    throw new CommandError(
      "TypeMismatch",
      `$currentOp options must be specified in an object, but found: ${aliasOfType(typeOf(spec))}`,
    );
  }
  for (const name of spec.names()) {
    if (ACCESS_OPTIONS.has(name)) checkBoolean(name, spec.get(name), "TypeMismatch");
  }
}

/** @throws CommandError FailedToParse */
export function checkCurrentOpOptions(spec: Document): void {
  for (const name of spec.names()) {
    if (!OPTIONS.has(name)) {
      throw new CommandError("FailedToParse", `Unrecognized option '${name}' in $currentOp stage.`);
    }
    checkBoolean(name, spec.get(name), "FailedToParse");
  }
}

function checkBoolean(name: string, value: Value, code: "FailedToParse" | "TypeMismatch"): void {
  if (typeof value === "boolean") return;
  throw new CommandError(
    code,
    `The '${name}' parameter of the $currentOp stage must be a boolean value, but found: ` +
      aliasOfType(typeOf(value)),
  );
}

export function currentOperations(call: CommandCall): readonly Document[] {
  const { operations, services } = call.state;
  // As MongoDB writes it.
  const currentOpTime = new Date(Math.floor(services.clock.nowMs())).toISOString().replace("Z", "+00:00");
  return operations.all().map((operation) => {
    const elapsedMs = operation.elapsedMs();
    return BuiltDocument.of({
      type: "op",
      host: `${services.host.hostname}:${services.port}`,
      desc: `conn${operation.client.id}`,
      connectionId: Int32.of(operation.client.id),
      client: operation.client.remote,
      appName: applicationOf(operation.client),
      clientMetadata: operation.client.metadata,
      active: true,
      currentOpTime,
      opid: Int32.of(operation.id),
      secs_running: int64(elapsedMs / 1000),
      microsecs_running: int64(elapsedMs * MICROS_PER_MS),
      op: operation.label.op,
      ns: operation.label.namespace,
      command: shownCommand(operation.label.body),
      ...progressOf(operation),
      waitingForLock: false,
    });
  });
}

function progressOf({ progress }: Operation): Readonly<Record<string, Value>> {
  if (progress === undefined) return {};
  const { work, done, total } = progress;
  const percent = Math.floor(done * 100 / Math.max(1, total));
  return {
    // MongoDB names the work, and then the meter, which has the same name.
    msg: `${work} ${work}: ${done}/${total} ${percent}%`,
    progress: BuiltDocument.of({ done: int64(done), total: int64(total) }),
  };
}
