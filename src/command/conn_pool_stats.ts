/** `connPoolStats`: connections to other servers, of which a node alone has none. */
import { BuiltDocument, Int32 } from "../bson/mod.ts";
import type { Command } from "./command.ts";

const COUNTS = [
  "numClientConnections",
  "numAScopedConnections",
  "totalInUse",
  "totalAvailable",
  "totalCreated",
  "totalRefreshing",
  "totalRefreshed",
];

export const connPoolStats: Command = {
  name: "connPoolStats",
  help: "the connections to other servers",
  run: (_call, reply) => {
    for (const name of COUNTS) reply.value(name, Int32.of(0));
    reply.value("pools", BuiltDocument.EMPTY);
    reply.value("hosts", BuiltDocument.EMPTY);
    reply.value("numReplicaSetMonitorsCreated", Int32.of(0));
    reply.value("replicaSets", BuiltDocument.EMPTY);
  },
};
