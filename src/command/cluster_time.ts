/**
 * Cluster time as clients carry it: `$clusterTime` in a request tells the latest that the client has seen, `$clusterTime` and
 * `operationTime` in the answer what the server knows. Without access control nobody signs them; MongoDB then writes the
 * same zeros.
 *
 * They are answered to who can make use of them: requests with a session or with a `$clusterTime`.
 */
import { CommandError, MAX_CLOCK_DRIFT_SECONDS } from "../base/mod.ts";
import {
  aliasOfType,
  Binary,
  type BsonWriter,
  BuiltDocument,
  Document,
  encodeDocument,
  isNumber,
  Timestamp,
  typeOf,
  type Value,
} from "../bson/mod.ts";
import { type ClusterTime, secondsOf } from "../cluster/mod.ts";
import type { Arguments } from "./arguments.ts";

/** Whether the answer is to say what time it is. */
export function asksForTime(args: Arguments): boolean {
  return args.has("lsid") || args.has("$clusterTime");
}

/**
 * Learns the time that a client has seen.
 *
 * @param wallMs milliseconds since 1970
 * @throws CommandError where it is none, and ClusterTimeFailsRateLimiter where it lies too far in the future
 */
export function learnTime(args: Arguments, times: ClusterTime, wallMs: number): void {
  const given = args.get("$clusterTime");
  if (given === undefined) return;
  if (!(given instanceof Document)) {
    throw new CommandError(10065, "invalid parameter: expected an object ($clusterTime)");
  }
  const time = required(given, "clusterTime");
  if (!(time instanceof Timestamp)) throw wrongType("clusterTime", time, "timestamp");
  const signature = required(given, "signature");
  if (!(signature instanceof Document)) throw wrongType("signature", signature, "object");
  const hash = required(signature, "hash");
  if (!(hash instanceof Binary)) throw wrongType("hash", hash, "binData");
  const keyId = required(signature, "keyId");
  // Drivers send a zero that came as a long back as an int.
  if (!isNumber(keyId)) {
    const found = aliasOfType(typeOf(keyId));
    throw new CommandError(
      "TypeMismatch",
      `Expected field "keyId" to have numeric type, but found ${found}`,
    );
  }
  const bits = BigInt.asUintN(64, time.toBigInt());
  const nowSeconds = Math.floor(wallMs / 1000);
  if (secondsOf(bits) > nowSeconds + MAX_CLOCK_DRIFT_SECONDS) {
    throw new CommandError(
      "ClusterTimeFailsRateLimiter",
      `New $clusterTime, ${secondsOf(bits)}, is too far from this node's wall clock time, ${nowSeconds}.`,
    );
  }
  times.advance(bits);
}

/** Appends `$clusterTime` and `operationTime`. */
export function writeTime(reply: BsonWriter, times: ClusterTime): void {
  ANSWER.setBigUint64(CLUSTER_TIME_AT, times.latest, true);
  ANSWER.setBigUint64(OPERATION_TIME_AT, times.operationTime, true);
  reply.bytes(ANSWER_BYTES);
}

const NO_TIME = new Timestamp(0n);
const NO_SIGNATURE = BuiltDocument.of({ hash: new Binary(new Uint8Array(20)), keyId: 0n });
/** The elements of an answer, in which the times are to be set. */
const ANSWER_BYTES = encodeDocument(BuiltDocument.of({
  $clusterTime: BuiltDocument.of({ clusterTime: NO_TIME, signature: NO_SIGNATURE }),
  operationTime: NO_TIME,
})).slice(4, -1);
const ANSWER = new DataView(ANSWER_BYTES.buffer);
/** Behind the headers of `$clusterTime` and, in it, of `clusterTime`. */
const CLUSTER_TIME_AT = 1 + "$clusterTime".length + 1 + 4 + 1 + "clusterTime".length + 1;
const OPERATION_TIME_AT = ANSWER_BYTES.length - 8;

/** As MongoDB's messages show it. */
export function shownTimestamp(time: bigint): string {
  return `Timestamp(${secondsOf(time)}, ${BigInt.asUintN(32, time)})`;
}

function required(document: Document, name: string): Value {
  const value = document.get(name);
  if (value !== undefined) return value;
  throw new CommandError("NoSuchKey", `Missing expected field "${name}"`);
}

function wrongType(name: string, value: Value, expected: string): CommandError {
  return new CommandError(
    "TypeMismatch",
    `"${name}" had the wrong type. Expected ${expected}, found ${aliasOfType(typeOf(value))}`,
  );
}
