/** What the profiler writes of an operation: what was asked, and what its answer says. */
import {
  BuiltDocument,
  Document,
  DocumentBuilder,
  isArray,
  type RawDocument,
  UtcDate,
  type Value,
} from "../bson/mod.ts";
import type { Client } from "./client.ts";
import { int64OrInt32 } from "./numbers.ts";
import type { Examined, OperationLabel } from "./operation.ts";
import { type PlanSummary, renderDocument } from "../query/mod.ts";

/** A larger command is cut. */
const MAX_COMMAND_BYTES = 50 * 1024;
const CUT_CHARACTERS = 1000;

export interface ProfiledOperation {
  readonly label: OperationLabel;
  readonly reply: RawDocument;
  readonly millis: number;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  readonly client: Client;
  /** What was read; undefined where that is not counted. */
  readonly examined: Examined | undefined;
}

export function profileEntry(operation: ProfiledOperation): Document {
  const { label, reply, millis, nowMs, client, examined } = operation;
  const plan = examined?.plan?.();
  const entry = new DocumentBuilder()
    .append("op", label.op)
    .append("ns", label.namespace)
    .append("command", shownCommand(label.body));
  appendRead(entry, reply, examined, plan);
  appendCounts(entry, label.op, reply);
  appendError(entry, reply);
  return entry
    .append("responseLength", int64OrInt32(reply.sizeBytes))
    .append("protocol", "op_msg")
    .append("millis", int64OrInt32(millis))
    .append("planSummary", plan?.text)
    .append("ts", new UtcDate(Math.floor(nowMs)))
    .append("client", client.remote.replace(/:[0-9]+$/, ""))
    .append("appName", applicationOf(client))
    .append("allUsers", [])
    .append("user", "")
    .build();
}

/** A command as it is shown to others: a large one as the beginning of its text. */
export function shownCommand(body: RawDocument): Document {
  const names = body.names().filter((name) => name !== "$clusterTime");
  if (body.sizeBytes <= MAX_COMMAND_BYTES) {
    return new BuiltDocument(names, names.map((name) => body.get(name)));
  }
  const [first = ""] = names;
  const text = renderDocument(new BuiltDocument([first], [body.get(first)]));
  return BuiltDocument.of({ $truncated: text.slice(0, CUT_CHARACTERS), comment: body.get("comment") });
}

/** What the driver says that its program is called. */
export function applicationOf({ metadata }: Client): Value {
  const application = metadata?.get("application");
  return application instanceof Document ? application.get("name") : undefined;
}

function appendRead(
  entry: DocumentBuilder,
  reply: RawDocument,
  examined: Examined | undefined,
  plan: PlanSummary | undefined,
): void {
  const cursor = reply.get("cursor");
  const id = cursor instanceof Document ? cursor.get("id") : undefined;
  entry.append("cursorid", id === 0n ? undefined : id);
  if (examined !== undefined) {
    const { rowsRead, keysRead } = examined;
    if (plan !== undefined) {
      entry.append("keysExamined", int64OrInt32(keysRead + (plan.isByKeys ? rowsRead : 0)));
    }
    entry.append("docsExamined", int64OrInt32(rowsRead));
  }
  entry.append("cursorExhausted", id === 0n ? true : undefined);
  if (!(cursor instanceof Document)) return;
  const batch = cursor.get("firstBatch") ?? cursor.get("nextBatch");
  if (isArray(batch)) entry.append("nreturned", int64OrInt32(batch.length));
}

/** The counts of a write, as the profiler names them. */
function appendCounts(entry: DocumentBuilder, op: string, reply: RawDocument): void {
  const n = reply.get("n");
  if (op === "insert") entry.append("ninserted", n);
  if (op === "remove") entry.append("ndeleted", n);
  if (op !== "update") return;
  const upserted = reply.get("upserted");
  entry.append("nMatched", n);
  entry.append("nModified", reply.get("nModified"));
  entry.append("nUpserted", int64OrInt32(isArray(upserted) ? upserted.length : 0));
}

function appendError(entry: DocumentBuilder, reply: RawDocument): void {
  if (reply.get("errmsg") === undefined) return;
  entry.append("ok", 0);
  entry.append("errMsg", reply.get("errmsg"));
  entry.append("errName", reply.get("codeName"));
  entry.append("errCode", reply.get("code"));
}
