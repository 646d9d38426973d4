/** Commands that know nothing of sessions: with a transaction number, or in a transaction, they are refused. */
export const WITHOUT_SESSION: ReadonlySet<string> = new Set([
  "buildInfo",
  "connectionStatus",
  "hello",
  "isMaster",
  "listCommands",
  "ping",
  "whatsmyuri",
]);
