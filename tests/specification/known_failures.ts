/**
 * The tests that are known to fail, each with the reason. One that passes again makes the run fail, so that the list holds
 * only what is so. Those of the driver fail against a MongoDB as well (`--uri`).
 */
import type { Identity } from "./options.ts";

export interface KnownFailure {
  readonly suite: string;
  /** The file's name, or what the names have in common. */
  readonly file: string | RegExp;
  /** The description, or what all of them have in common; all tests of the file when absent. */
  readonly test?: string | RegExp;
  /** Where it fails with one of the identities only. */
  readonly identity?: Identity;
  /** Whose it is: the driver's, which differs from the specification, the one node's that there is, or ChronoGo's. */
  readonly owner: "driver" | "one node" | "ChronoGo";
  readonly reason: string;
}

const WTIMEOUT =
  "the driver sends a wtimeout of its own with the first commit or abort that has a write concern";
const ONE_ROUTER = "the two addresses are one router, which knows the transaction and fails for both";
const NO_SNAPSHOT_TIME = "the driver takes no snapshotTime for a session";
const NO_SECONDARY = "a set of one member has no secondary to find, or to step up";

export const KNOWN_FAILURES: readonly KnownFailure[] = [
  {
    suite: "change-streams",
    file: "change-streams-showExpandedEvents.json",
    test: "when showExpandedEvents is true, shardCollection events are reported",
    identity: "router",
    owner: "one node",
    reason: "there is no shardCollection: one node is all there is",
  },
  {
    suite: "command-logging",
    file: "operation-id.json",
    owner: "driver",
    reason: "the driver logs no operationId",
  },
  {
    suite: "command-logging",
    file: "redacted-commands.json",
    test: /^network error in response to .* is not redacted$/,
    owner: "driver",
    reason: "the driver redacts network errors of sensitive commands too",
  },
  {
    suite: "crud",
    file: "bypassDocumentValidation.json",
    test: /^(Aggregate|BulkWrite|FindOneAndReplace|FindOneAndUpdate|InsertMany) .* false$/,
    owner: "driver",
    reason: "the driver leaves out bypassDocumentValidation where it is false",
  },
  {
    suite: "crud",
    file: "client-bulkWrite-partialResults.json",
    test: /^partialResult is unset when /,
    owner: "driver",
    reason: "the driver gives a result of zeros where it shall give none",
  },
  {
    suite: "crud",
    file: "create-null-ids.json",
    test: /^inserting _id with type null via (insert|bulk|client)/,
    owner: "driver",
    reason: "the driver puts an ObjectId in the place of an _id that is null",
  },
  {
    suite: "gridfs",
    file: "download.json",
    test: "download when final chunk is missing",
    owner: "driver",
    reason: "the driver takes a missing last chunk for the end",
  },
  {
    suite: "retryable-reads",
    file: /^gridfs-download(-serverErrors)?\.json$/,
    owner: "driver",
    reason: "the driver asks for a file's id with $eq",
  },
  {
    suite: "retryable-writes",
    file: "bulkWrite.json",
    test: "First insertOne is never committed",
    identity: "replica-set",
    owner: "driver",
    reason: "the driver lists ids of documents that were not inserted",
  },
  {
    suite: "server-discovery-and-monitoring",
    file: /^(logging-)?replicaset|-replicaset|-after-step-down/,
    test: /^(Topology lifecycle|Successful heartbeat|Rediscover quickly after replSetStepDown)$/,
    identity: "replica-set",
    owner: "one node",
    reason: NO_SECONDARY,
  },
  {
    suite: "server-discovery-and-monitoring",
    file: /sharded/,
    test: "Topology lifecycle",
    identity: "router",
    owner: "driver",
    reason: "the driver tells of no change of the topology when it closes",
  },
  {
    suite: "server-discovery-and-monitoring",
    file: "serverMonitoringMode.json",
    test: /=(auto|stream) >=4\.4$/,
    identity: "router",
    owner: "driver",
    reason: "the driver calls its first heartbeat awaited",
  },
  {
    suite: "server-discovery-and-monitoring",
    file: "interruptInUse-pool-clear.json",
    owner: "ChronoGo",
    reason: "there is no $where: no JavaScript runs in the server",
  },
  {
    suite: "sessions",
    file: "snapshot-sessions.json",
    test: /with snapshot and snapshot ?[tT]ime$/,
    owner: "driver",
    reason: NO_SNAPSHOT_TIME,
  },
  {
    suite: "transactions",
    file: /^(mongos-recovery-token|pin-mongos)\.json$/,
    test:
      /^(commitTransaction retry fails on new mongos|unpin after transient error within a transaction and commit)$/,
    identity: "router",
    owner: "one node",
    reason: ONE_ROUTER,
  },
  {
    suite: "transactions",
    file: "mongos-recovery-token-errorLabels.json",
    test: "commitTransaction retry succeeds on new mongos",
    identity: "router",
    owner: "driver",
    reason: WTIMEOUT,
  },
  {
    suite: "transactions",
    file: /^(delete|findOneAnd\w+|insert|update)\.json$/,
    test: /^collections? writeConcern ignored for /,
    owner: "driver",
    reason: WTIMEOUT,
  },
  {
    suite: "transactions",
    file: /^(error-labels(-errorLabels)?|retryable-(abort|commit)(-errorLabels)?)\.json$/,
    test:
      /[wW]riteConcernError(?! ShutdownInProgress that occurs within transaction)|label to MaxTimeMSExpired$|after UnsatisfiableWriteConcern error$/,
    owner: "driver",
    reason: WTIMEOUT,
  },
  {
    suite: "transactions",
    file: "transaction-options.json",
    test:
      /options (inherited|override)|override client options$|^readConcern local in default|^client writeConcern ignored/,
    owner: "driver",
    reason: WTIMEOUT,
  },
  {
    suite: "transactions",
    file: "write-concern.json",
    test: /with majority$/,
    owner: "driver",
    reason: WTIMEOUT,
  },
  {
    suite: "transactions",
    file: "client-bulkWrite.json",
    test: "client writeConcern ignored for client bulkWrite in transaction",
    owner: "driver",
    reason: WTIMEOUT,
  },
  {
    suite: "transactions",
    file: "client-bulkWrite.json",
    test: "client bulkWrite with writeConcern in a transaction causes a transaction error",
    owner: "driver",
    reason: "the driver lets a client's bulk write have a write concern in a transaction",
  },
  {
    suite: "transactions",
    file: /^(run-command|transaction-options)\.json$/,
    test: /secondary read preference in client option|^readPreference inherited from client$/,
    identity: "replica-set",
    owner: "one node",
    reason: NO_SECONDARY,
  },
  {
    suite: "transactions-convenient-api",
    file: "transaction-options.json",
    test: /inherits|explicit/,
    owner: "driver",
    reason: WTIMEOUT,
  },
  {
    suite: "unified-test-format",
    file: "poc-transactions-convenient-api.json",
    test: /inherits|explicit/,
    owner: "driver",
    reason: WTIMEOUT,
  },
];

/** The entry that a test falls under, if there is one. */
export function knownFailure(
  { suite, file, test }: { readonly suite: string; readonly file: string; readonly test: string },
  identity: Identity,
): KnownFailure | undefined {
  return KNOWN_FAILURES.find((known) =>
    known.suite === suite && (known.identity ?? identity) === identity && isIn(known.file, file) &&
    (known.test === undefined || isIn(known.test, test))
  );
}

function isIn(pattern: string | RegExp, text: string): boolean {
  return typeof pattern === "string" ? pattern === text : pattern.test(text);
}
