/** MongoDB's commands: what they answer, sessions and cursors. Knows neither sockets nor segments. */
export { Client } from "./client.ts";
export type { Command, CommandInput, DocumentSequence, Outcome } from "./command.ts";
export { COMMANDS } from "./commands.ts";
export { ServerCounters } from "./counters.ts";
export { writeError, writeLegacyError } from "./error_reply.ts";
export { executeCommand } from "./execute.ts";
export { LogRing } from "./log_ring.ts";
export { setStartParameters } from "./parameters.ts";
export type { DiskUsage, HostFacts, MemoryUsage, Services } from "./services.ts";
export { ServerState } from "./state.ts";
export { FEATURE_COMPATIBILITY_VERSION, MONGODB_VERSION } from "./version.ts";
