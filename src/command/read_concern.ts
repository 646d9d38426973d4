/**
 * `readConcern`: which state a read may show. One node has one state, which is durable as soon as anyone can see it: so
 * `local`, `available`, `majority` and `linearizable` read alike, and every read is causally consistent.
 */
import { CommandError } from "../base/mod.ts";
import { aliasOfType, Document, Timestamp, typeOf, type Value } from "../bson/mod.ts";
import type { ClusterTime } from "../cluster/mod.ts";
import { shownTimestamp } from "./cluster_time.ts";
import type { Arguments } from "./arguments.ts";

const LEVELS = ["local", "majority", "linearizable", "available", "snapshot"] as const;
const CAUSAL_LEVELS: ReadonlySet<string> = new Set(["local", "majority", "snapshot"]);
const FIELDS: ReadonlySet<string> = new Set([
  "level",
  "afterClusterTime",
  "atClusterTime",
  "provenance",
  "allowTransactionTableSnapshot",
]);
const CAUSAL_CONSISTENCY_URL =
  "https://docs.mongodb.com/manual/core/read-isolation-consistency-recency/#causal-consistency";

export interface ReadConcern {
  readonly level: typeof LEVELS[number];
  /** Cluster time up to which everything must be seen. */
  readonly afterClusterTime: bigint | undefined;
  /** Cluster time of the snapshot to read. */
  readonly atClusterTime: bigint | undefined;
}

const DEFAULT: ReadConcern = { level: "local", afterClusterTime: undefined, atClusterTime: undefined };

/** @throws CommandError when it is none */
export function parseReadConcern(args: Arguments): ReadConcern {
  const given = args.get("readConcern");
  if (given === undefined) return DEFAULT;
  if (!(given instanceof Document)) {
    throw new CommandError("FailedToParse", "readConcern field should be an object");
  }
  for (const name of given.names()) {
    if (!FIELDS.has(name)) throw invalid(`Unrecognized option in readConcern: ${name}`);
  }
  const afterClusterTime = timeIn(given, "afterClusterTime");
  const atClusterTime = timeIn(given, "atClusterTime");
  const level = levelOf(given.get("level"));
  if (afterClusterTime !== undefined && atClusterTime !== undefined) {
    throw invalid(
      "Specifying a timestamp for readConcern snapshot in a causally consistent session is not allowed. " +
        `See ${CAUSAL_CONSISTENCY_URL}`,
    );
  }
  if (afterClusterTime !== undefined && !CAUSAL_LEVELS.has(level)) {
    throw invalid("afterClusterTime field can be set only if level is equal to majority, local, or snapshot");
  }
  if (atClusterTime !== undefined && level !== "snapshot") {
    throw invalid("atClusterTime field can be set only if level is equal to snapshot");
  }
  return { level, afterClusterTime, atClusterTime };
}

function levelOf(value: Value): ReadConcern["level"] {
  if (value === undefined) return "local";
  if (typeof value !== "string") throw wrongType("level", value, "string");
  const level = LEVELS.find((known) => known === value);
  if (level !== undefined) return level;
  throw new CommandError(
    "FailedToParse",
    "readConcern.level must be either 'local', 'majority', 'linearizable', 'available', or 'snapshot'",
  );
}

function timeIn(document: Document, name: string): bigint | undefined {
  const value = document.get(name);
  if (value === undefined) return undefined;
  if (!(value instanceof Timestamp)) throw wrongType(name, value, "timestamp");
  const time = value.toBigInt();
  if (time === 0n) throw invalid(`${name} cannot be a null timestamp`);
  return BigInt.asUintN(64, time);
}

/** @param allowed the levels that the command can be had at beside `local` @throws CommandError InvalidOptions for another */
export function checkReadLevel(
  command: string,
  allowed: readonly ReadConcern["level"][],
  { level }: ReadConcern,
): void {
  if (level === "local" || allowed.includes(level)) return;
  const reason = level === "snapshot" && allowed.length > 0
    ? "read concern snapshot not supported"
    : "read concern not supported";
  throw invalid(
    `Command ${command} does not support { readConcern: { level: "${level}", provenance: "clientSupplied" } } ` +
      `:: caused by :: ${reason}`,
  );
}

/**
 * Sees to it that a read shows all up to `afterClusterTime`.
 *
 * @throws CommandError InvalidOptions for a time that nothing can have happened at
 */
export function readAfter(times: ClusterTime, { afterClusterTime, atClusterTime }: ReadConcern): void {
  checkKnown(times, "afterClusterTime", afterClusterTime);
  checkKnown(times, "atClusterTime", atClusterTime);
  if (afterClusterTime !== undefined) times.readUpTo(afterClusterTime);
}

function checkKnown({ latest }: ClusterTime, name: string, time: bigint | undefined): void {
  if (time === undefined || time <= latest) return;
  throw invalid(
    `readConcern ${name} value must not be greater than the current clusterTime. Requested clusterTime: ` +
      `{ ts: ${shownTimestamp(time)} }; current clusterTime: { ts: ${shownTimestamp(latest)} }`,
  );
}

function wrongType(name: string, value: Value, expected: string): CommandError {
  const found = aliasOfType(typeOf(value));
  return new CommandError(
    "TypeMismatch",
    `"${name}" had the wrong type. Expected ${expected}, found ${found}`,
  );
}

function invalid(message: string): CommandError {
  return new CommandError("InvalidOptions", message);
}
