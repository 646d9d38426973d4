/** A server of either identity, with its fail points, and the addresses under which the runner reaches it. */
import { type ServerProcess, startServerProcess } from "../support/server_process.ts";
import type { Identity } from "./options.ts";
import type { Addresses } from "./run_suite.ts";

const TEST_COMMANDS = ["--set-parameter", "enableTestCommands=1"];
const REPLICA_SET = ["--replica-set", "rs0", "--advertise", "127.0.0.1:0"];

export function startDeployment(identity: Identity): Promise<ServerProcess> {
  const args = identity === "router" ? TEST_COMMANDS : [...TEST_COMMANDS, ...REPLICA_SET];
  return startServerProcess({ args });
}

/** A router has two names, so that a client takes it for two. */
export function addressesOf({ uri, port }: ServerProcess, identity: Identity): Addresses {
  if (identity === "router") return { one: uri, two: `mongodb://127.0.0.1:${port},localhost:${port}` };
  return { one: `${uri}/?replicaSet=rs0`, two: `${uri}/?replicaSet=rs0` };
}
