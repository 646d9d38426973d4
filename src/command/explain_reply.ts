/** The answer of `explain`: how the query would run, or did, and what the server is. */
import { type BsonWriter, BuiltDocument, type Document, DocumentBuilder, Int32 } from "../bson/mod.ts";
import type { Namespace } from "../cluster/mod.ts";
import type { Pipeline } from "../query/mod.ts";
import type { CommandCall } from "./command.ts";
import type { QueryWork } from "./operation.ts";
import { MONGODB_VERSION } from "./version.ts";

export interface Explained {
  readonly namespace: Namespace;
  readonly pipeline: Pipeline;
  readonly work: QueryWork;
  readonly verbosity: string;
  /** The command that is explained. */
  readonly command: Document;
}

/** Appends the plan, the command and the server's facts. */
export async function explainInto(call: CommandCall, reply: BsonWriter, explained: Explained): Promise<void> {
  const { namespace, pipeline, work, verbosity, command } = explained;
  writePlan(
    call,
    reply,
    await call.state.services.router.explain(namespace, pipeline, work, verbosity),
    command,
  );
}

/** Appends a plan that is made already, as `explainInto`. */
export function writePlan(call: CommandCall, reply: BsonWriter, plan: Document, command: Document): void {
  const { services } = call.state;
  const values = plan.values();
  plan.names().forEach((name, i) => reply.value(name, values[i]));
  reply.value(
    "command",
    command.has("$db") ? command : DocumentBuilder.from(command).append("$db", call.db).build(),
  );
  reply.value(
    "serverInfo",
    BuiltDocument.of({
      host: services.host.hostname,
      port: Int32.of(services.port),
      version: MONGODB_VERSION,
      gitVersion: services.version,
    }),
  );
}
