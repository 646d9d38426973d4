/**
 * The commands of MongoDB 8.0 that ChronoGo knows and does not have, sorted by name.
 *
 * ChronoGo answers as a router: what MongoDB's router does not know either is mostly no command here.
 */
import { CommandError } from "../base/mod.ts";
import { NO_SEARCH_INDEXES } from "../query/mod.ts";
import type { Command } from "./command.ts";

export const MISSING_COMMANDS: ReadonlySet<string> = new Set([
  "abortMoveCollection",
  "abortReshardCollection",
  "abortUnshardCollection",
  "addShard",
  "addShardToZone",
  "analyzeShardKey",
  "appendOplogNote",
  "applyOps",
  "authenticate",
  "autoCompact",
  "balancerCollectionStatus",
  "balancerStart",
  "balancerStop",
  "checkShardingIndex",
  "cleanupOrphaned",
  "cleanupReshardCollection",
  "cleanupStructuredEncryptionData",
  "clearJumboFlag",
  "commitReshardCollection",
  "compactStructuredEncryptionData",
  "configureCollectionBalancing",
  "configureQueryAnalyzer",
  "connPoolSync",
  "coordinateCommitTransaction",
  "createRole",
  "createSearchIndexes",
  "createUser",
  "dbCheck",
  "dropAllRolesFromDatabase",
  "dropAllUsersFromDatabase",
  "dropConnections",
  "dropRole",
  "dropSearchIndex",
  "dropUser",
  "enableSharding",
  "filemd5",
  "flushRouterConfig",
  "fsyncUnlock",
  "getAuditConfig",
  "getChangeStreamState",
  "getClusterParameter",
  "getDiagnosticData",
  "getLastError",
  "getQueryableEncryptionCountInfo",
  "getShardMap",
  "getShardVersion",
  "getnonce",
  "grantPrivilegesToRole",
  "grantRolesToRole",
  "grantRolesToUser",
  "listSearchIndexes",
  "logApplicationMessage",
  "mapReduce",
  "mapreduce",
  "mergeAllChunksOnShard",
  "mergeChunks",
  "moveChunk",
  "moveCollection",
  "movePrimary",
  "moveRange",
  "netstat",
  "planCacheSetFilter",
  "prepareTransaction",
  "refineCollectionShardKey",
  "removeQuerySettings",
  "removeShard",
  "removeShardFromZone",
  "repairShardedCollectionChunksHistory",
  "replSetAbortPrimaryCatchUp",
  "replSetFreeze",
  "replSetInitiate",
  "replSetMaintenance",
  "replSetReconfig",
  "replSetResizeOplog",
  "replSetStepDown",
  "replSetSyncFrom",
  "resetPlacementHistory",
  "reshardCollection",
  "revokePrivilegesFromRole",
  "revokeRolesFromRole",
  "revokeRolesFromUser",
  "rotateCertificates",
  "saslContinue",
  "saslStart",
  "setAllowMigrations",
  "setAuditConfig",
  "setChangeStreamState",
  "setClusterParameter",
  "setDefaultRWConcern",
  "setFeatureCompatibilityVersion",
  "setIndexCommitQuorum",
  "setProfilingFilterGlobally",
  "setQuerySettings",
  "setShardVersion",
  "setUserWriteBlockMode",
  "shardCollection",
  "shardDrainingStatus",
  "shardingState",
  "shutdown",
  "split",
  "splitVector",
  "sysprofile",
  "transitionFromDedicatedConfigServer",
  "transitionToDedicatedConfigServer",
  "unshardCollection",
  "untrackUnshardedCollection",
  "updateRole",
  "updateSearchIndex",
  "updateUser",
  "updateZoneKeyRange",
  "validateDBMetadata",
  "waitForFailPoint",
]);

/** A command that MongoDB has and ChronoGo has not: it may be sent with all that any command may, and answers so. */
export function missingCommand(name: string): Command {
  return {
    name,
    help: "",
    takesSequences: true,
    takesWriteConcern: true,
    readConcerns: ["available", "majority", "linearizable"],
    run: () => {
      throw notImplemented(name);
    },
  };
}

/** Search indexes are a service beside MongoDB: without it MongoDB answers so as well. */
const SEARCH_COMMANDS: ReadonlySet<string> = new Set([
  "createSearchIndexes",
  "dropSearchIndex",
  "listSearchIndexes",
  "updateSearchIndex",
]);

/** The answer to a command that MongoDB has and ChronoGo has not. */
export function notImplemented(name: string): CommandError {
  // Gone from MongoDB as well, which has its own words for it.
  if (name === "getLastError") return new CommandError(5739000, "getLastError command is not supported");
  if (SEARCH_COMMANDS.has(name)) return new CommandError("SearchNotEnabled", NO_SEARCH_INDEXES);
  return new CommandError(
    "NotImplemented",
    `the command '${name}' is not implemented in this version of ChronoGo`,
  );
}
