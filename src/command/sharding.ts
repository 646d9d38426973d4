/**
 * The commands by which a router tells of its cluster: `isdbgrid`, `balancerStatus`, `listShards`. The node is its only shard,
 * and nothing is to be balanced.
 */
import { CommandError } from "../base/mod.ts";
import { type BsonWriter, Int32 } from "../bson/mod.ts";
import type { Command, CommandCall } from "./command.ts";
import { shardDocuments } from "./config_database.ts";
import { int64 } from "./numbers.ts";

export const isDbGrid: Command = {
  name: "isdbgrid",
  help: "whether this is a router",
  run: (call, reply) => {
    refuseOnReplicaSet(call);
    const { host, port } = call.state.services;
    reply.value("isdbgrid", Int32.of(1));
    reply.value("hostname", `${host.hostname}:${port}`);
  },
};

export const balancerStatus: Command = {
  name: "balancerStatus",
  help: "whether data is being balanced between shards: there is one",
  adminOnly: true,
  run: (call, reply) => {
    refuseOnReplicaSet(call);
    reply.value("mode", "full");
    reply.value("inBalancerRound", false);
    reply.value("numBalancerRounds", int64(0));
  },
};

export const listShards: Command = {
  name: "listShards",
  help: "the shards of the cluster: this node",
  adminOnly: true,
  run: (call: CommandCall, reply: BsonWriter) => {
    refuseOnReplicaSet(call);
    reply.value("shards", shardDocuments(call.state.services));
  },
};

/** A member of a replica set knows no shards. */
function refuseOnReplicaSet({ state, name }: CommandCall): void {
  if (state.services.replicaSet === undefined) return;
  throw new CommandError("CommandNotFound", `no such command: '${name}'`);
}
