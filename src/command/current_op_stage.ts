/** `$currentOp`: the operations that run now, one document each. */
import { BuiltDocument, type Document, Int32 } from "../bson/mod.ts";
import type { CommandCall } from "./command.ts";
import { int64 } from "./numbers.ts";
import { applicationOf, shownCommand } from "./profile_entry.ts";

const MICROS_PER_MS = 1000;

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
      waitingForLock: false,
    });
  });
}
