/**
 * `replSetGetStatus`: the members of the set, which is one. A router refuses it, in words by which clients and monitoring
 * tools know one.
 */
import { CommandError } from "../base/mod.ts";
import { type BsonWriter, BuiltDocument, Int32, UtcDate } from "../bson/mod.ts";
import type { Command, CommandCall } from "./command.ts";
import { int64 } from "./numbers.ts";
import { wallMsOf } from "../cluster/mod.ts";
import { opTimeOf, replicaSetOf, secondOf } from "./replica_set.ts";

const PRIMARY = 1;

export const replSetGetStatus: Command = {
  name: "replSetGetStatus",
  help: "the state of the replica set that the server is, with --replica-set",
  adminOnly: true,
  run: runReplSetGetStatus,
};

function runReplSetGetStatus(call: CommandCall, reply: BsonWriter): void {
  const set = replicaSetOf(call, refusedByRouter);
  const { clock, startedAtMs, router: { clusterTime } } = call.state.services;
  const time = clusterTime.operationTime;
  const opTime = opTimeOf(time);
  const wallTime = new UtcDate(wallMsOf(time));
  const nowMs = Math.floor(clock.nowMs());
  const started = new UtcDate(Math.floor(startedAtMs));
  reply.value("set", set.name);
  reply.value("date", new UtcDate(nowMs));
  reply.value("myState", Int32.of(PRIMARY));
  reply.value("term", int64(1));
  reply.value("syncSourceHost", "");
  reply.value("syncSourceId", Int32.of(-1));
  reply.value("heartbeatIntervalMillis", int64(2000));
  reply.value("majorityVoteCount", Int32.of(1));
  reply.value("writeMajorityCount", Int32.of(1));
  reply.value("votingMembersCount", Int32.of(1));
  reply.value("writableVotingMembersCount", Int32.of(1));
  reply.value(
    "optimes",
    BuiltDocument.of({
      lastCommittedOpTime: opTime,
      lastCommittedWallTime: wallTime,
      readConcernMajorityOpTime: opTime,
      appliedOpTime: opTime,
      durableOpTime: opTime,
      lastAppliedWallTime: wallTime,
      lastDurableWallTime: wallTime,
    }),
  );
  reply.value("members", [
    BuiltDocument.of({
      _id: Int32.of(0),
      name: set.host(),
      health: 1,
      state: Int32.of(PRIMARY),
      stateStr: "PRIMARY",
      uptime: Int32.of(Math.max(0, Math.trunc((nowMs - startedAtMs) / 1000))),
      optime: opTime,
      optimeDate: secondOf(time),
      lastAppliedWallTime: wallTime,
      lastDurableWallTime: wallTime,
      syncSourceHost: "",
      syncSourceId: Int32.of(-1),
      infoMessage: "",
      electionDate: started,
      configVersion: Int32.of(1),
      configTerm: Int32.of(1),
      self: true,
      lastHeartbeatMessage: "",
    }),
  ]);
}

function refusedByRouter(): CommandError {
  // MongoDB's router sends no code with it; ours has one, because drivers make little of an error without.
  return new CommandError("CommandNotSupported", "replSetGetStatus is not supported through mongos", {
    extra: { info: "mongos" },
  });
}
