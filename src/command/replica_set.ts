/**
 * What a server that was started with `--replica-set` says of the set: it is the primary, and the only member. There is one
 * term, the first, since no member could ever take over.
 */
import type { CommandError } from "../base/mod.ts";
import {
  BuiltDocument,
  type Document,
  Int32,
  ObjectId,
  Timestamp,
  UtcDate,
  type Value,
} from "../bson/mod.ts";
import { secondsOf } from "../cluster/mod.ts";
import type { CommandCall } from "./command.ts";
import { int64 } from "./numbers.ts";
import type { ReplicaSetIdentity, Services } from "./services.ts";

/** As MongoDB makes it of the term. */
const ELECTION_ID = new ObjectId("7fffffff0000000000000001");
const CONFIG_VERSION = Int32.of(1);
const TERM = 1;

/** The set; for a router's refusal, `missing` is what it has to say. @throws CommandError where there is none */
export function replicaSetOf(call: CommandCall, missing: () => CommandError): ReplicaSetIdentity {
  const { replicaSet } = call.state.services;
  if (replicaSet === undefined) throw missing();
  return replicaSet;
}

/** What hello says of the set. @param writableField hello's and isMaster's name differ */
export function helloFields(
  set: ReplicaSetIdentity,
  { router: { clusterTime: { operationTime } } }: Services,
  writableField: string,
): Readonly<Record<string, Value>> {
  const host = set.host();
  const opTime = opTimeOf(operationTime);
  const date = secondOf(operationTime);
  return {
    hosts: [host],
    setName: set.name,
    setVersion: CONFIG_VERSION,
    [writableField]: true,
    secondary: false,
    primary: host,
    me: host,
    electionId: ELECTION_ID,
    lastWrite: BuiltDocument.of({
      opTime,
      lastWriteDate: date,
      majorityOpTime: opTime,
      majorityWriteDate: date,
    }),
  };
}

/** A cluster time as members tell it: with the term. */
export function opTimeOf(time: bigint): Document {
  return BuiltDocument.of({ ts: new Timestamp(time), t: int64(TERM) });
}

/** A cluster time as a date, to the second. */
export function secondOf(time: bigint): UtcDate {
  return new UtcDate(secondsOf(time) * 1000);
}

/** The configuration, as `replSetGetConfig` gives it. */
export function configDocument(set: ReplicaSetIdentity, services: Services): Document {
  const member = BuiltDocument.of({
    _id: Int32.of(0),
    host: set.host(),
    arbiterOnly: false,
    buildIndexes: true,
    hidden: false,
    priority: 1,
    tags: BuiltDocument.EMPTY,
    secondaryDelaySecs: int64(0),
    votes: Int32.of(1),
  });
  const settings = BuiltDocument.of({
    chainingAllowed: true,
    heartbeatIntervalMillis: Int32.of(2000),
    heartbeatTimeoutSecs: Int32.of(10),
    electionTimeoutMillis: Int32.of(10_000),
    catchUpTimeoutMillis: Int32.of(-1),
    catchUpTakeoverDelayMillis: Int32.of(30_000),
    getLastErrorModes: BuiltDocument.EMPTY,
    getLastErrorDefaults: BuiltDocument.of({ w: Int32.of(1), wtimeout: Int32.of(0) }),
    replicaSetId: idOf(services),
  });
  return BuiltDocument.of({
    _id: set.name,
    version: CONFIG_VERSION,
    term: CONFIG_VERSION,
    members: [member],
    protocolVersion: int64(1),
    writeConcernMajorityJournalDefault: true,
    settings,
  });
}

/** An id that is the node's for ever: twelve bytes of its uuid. */
export function idOf({ nodeUuid }: Services): ObjectId {
  return new ObjectId(nodeUuid.replaceAll("-", "").slice(0, 24));
}
