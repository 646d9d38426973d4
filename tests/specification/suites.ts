/**
 * The suites of the drivers' specifications that are written in the unified test format and that the Node driver is for, and
 * where their files are. It has no client-side time-outs (its timeoutMS has no effect) and no client-side encryption here.
 */

export interface Suite {
  readonly name: string;
  /** Below the checkout's `source/`; files directly in it. */
  readonly folder: string;
}

export const SUITES: readonly Suite[] = [
  { name: "causal-consistency", folder: "causal-consistency/tests" },
  { name: "change-streams", folder: "change-streams/tests/unified" },
  { name: "client-backpressure", folder: "client-backpressure/tests" },
  { name: "collection-management", folder: "collection-management/tests" },
  { name: "command-logging", folder: "command-logging-and-monitoring/tests/logging" },
  { name: "command-monitoring", folder: "command-logging-and-monitoring/tests/monitoring" },
  { name: "crud", folder: "crud/tests/unified" },
  { name: "gridfs", folder: "gridfs/tests" },
  { name: "index-management", folder: "index-management/tests" },
  { name: "mongodb-handshake", folder: "mongodb-handshake/tests/unified" },
  { name: "read-write-concern", folder: "read-write-concern/tests/operation" },
  { name: "retryable-reads", folder: "retryable-reads/tests/unified" },
  { name: "retryable-writes", folder: "retryable-writes/tests/unified" },
  { name: "run-command", folder: "run-command/tests/unified" },
  { name: "server-discovery-and-monitoring", folder: "server-discovery-and-monitoring/tests/unified" },
  { name: "sessions", folder: "sessions/tests" },
  { name: "transactions", folder: "transactions/tests/unified" },
  { name: "transactions-convenient-api", folder: "transactions-convenient-api/tests/unified" },
  { name: "unified-test-format", folder: "unified-test-format/tests/valid-pass" },
  { name: "versioned-api", folder: "versioned-api/tests" },
];
