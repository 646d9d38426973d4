/** `$collStats`: the first stage of a pipeline; one document with what was asked for of a collection. */
import { CommandError } from "../base/mod.ts";
import { Document, DocumentBuilder, RawDocument, UtcDate, type Value } from "../bson/mod.ts";
import { type Namespace, namespaceText } from "../cluster/mod.ts";
import { elementText } from "../query/mod.ts";
import { Arguments, checkFields, type FieldTable } from "./arguments.ts";
import { latencyDocument } from "./latency_document.ts";
import { storageStats } from "./coll_stats.ts";
import type { CommandCall } from "./command.ts";
import { int64OrInt32 } from "./numbers.ts";

const FIELDS: FieldTable = {
  latencyStats: "object",
  storageStats: "object",
  count: "object",
  queryExecStats: "object",
};
/** Parts that MongoDB has and that are not counted for each collection here. */
const NOT_COUNTED = ["queryExecStats"];

const COLL_STATS_STAGE = "$collStats";

/** @throws CommandError when the specification is bad, or a collection is needed and not there */
export async function collStatsDocument(
  call: CommandCall,
  namespace: Namespace,
  spec: Value,
): Promise<Document> {
  if (!(spec instanceof RawDocument)) {
    throw new CommandError(
      5447000,
      `$collStats must take a nested object but found: ${elementText("$collStats", spec)}`,
    );
  }
  const parts = new Arguments(spec);
  checkFields(parts, COLL_STATS_STAGE, FIELDS);
  const missing = NOT_COUNTED.find((name) => parts.has(name));
  if (missing !== undefined) {
    throw new CommandError("NotImplemented", `$collStats.${missing} is not counted for each collection yet`);
  }
  const { router, clock, host, port } = call.state.services;
  const builder = new DocumentBuilder()
    .append("ns", namespaceText(namespace))
    .append("host", `${host.hostname}:${port}`)
    .append("localTime", new UtcDate(Math.floor(clock.nowMs())));
  for (const part of ["storageStats", "count"]) {
    if (parts.has(part) && router.collection(namespace) === undefined) throw notFound(part, namespace);
  }
  const latency = parts.get("latencyStats");
  if (latency instanceof Document) {
    const counted = call.state.counters.latenciesOf(namespaceText(namespace));
    builder.append("latencyStats", latencyDocument(counted, latency.get("histograms") === true));
  }
  const storage = parts.get("storageStats");
  if (storage instanceof RawDocument) {
    builder.append("storageStats", await storageStats(call, namespace, new Arguments(storage)));
  }
  if (parts.has("count")) builder.append("count", int64OrInt32(router.stats(namespace).count));
  return builder.build();
}

function notFound(part: string, namespace: Namespace): CommandError {
  return new CommandError(
    "NamespaceNotFound",
    `PlanExecutor error during aggregation :: caused by :: Unable to retrieve ${part} in $collStats stage :: caused by ` +
      `:: Collection [${namespaceText(namespace)}] not found.`,
  );
}
