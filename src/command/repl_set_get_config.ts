/** `replSetGetConfig`: the configuration of the set of one that the server is, with `--replica-set`; a router has none. */
import { CommandError } from "../base/mod.ts";
import type { BsonWriter } from "../bson/mod.ts";
import type { Command, CommandCall } from "./command.ts";
import { configDocument, replicaSetOf } from "./replica_set.ts";

export const replSetGetConfig: Command = {
  name: "replSetGetConfig",
  help: "the configuration of the replica set that the server is, with --replica-set",
  adminOnly: true,
  run: (call: CommandCall, reply: BsonWriter) => {
    const set = replicaSetOf(call, notOfRouters);
    reply.value("config", configDocument(set, call.state.services));
  },
};

function notOfRouters(): CommandError {
  return new CommandError("CommandNotFound", "no such command: 'replSetGetConfig'");
}
