/** `$currentOp`: the operations that run now, one document each. */
import { BuiltDocument, type Document, Int32 } from "../bson/mod.ts";
import type { CommandCall } from "./command.ts";
import { int64 } from "./numbers.ts";

const MICROS_PER_MS = 1000;

export function currentOperations(call: CommandCall): readonly Document[] {
  const { operations, services } = call.state;
  return operations.all().map((operation) => {
    const elapsedMs = operation.elapsedMs();
    return BuiltDocument.of({
      type: "op",
      host: `${services.host.hostname}:${services.port}`,
      desc: `conn${operation.client.id}`,
      connectionId: Int32.of(operation.client.id),
      client: operation.client.remote,
      clientMetadata: operation.client.metadata,
      active: true,
      opid: Int32.of(operation.id),
      secs_running: int64(elapsedMs / 1000),
      microsecs_running: int64(elapsedMs * MICROS_PER_MS),
      op: operation.label.op,
      ns: operation.label.namespace,
      waitingForLock: false,
    });
  });
}
