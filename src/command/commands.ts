/** The one table of commands, sorted by name. */
import { aggregate } from "./aggregate.ts";
import { buildInfo } from "./build_info.ts";
import { testDeprecation, testVersion2, testVersions1And2 } from "./api_test_commands.ts";
import { balancerStatus, isDbGrid, listShards } from "./sharding.ts";
import { bulkWrite } from "./bulk_write.ts";
import { checkMetadataConsistency } from "./check_metadata_consistency.ts";
import { cloneCollectionAsCapped } from "./clone_collection_as_capped.ts";
import { collMod } from "./coll_mod.ts";
import { collStats } from "./coll_stats.ts";
import type { Command } from "./command.ts";
import { compact } from "./compact.ts";
import { configureFailPoint } from "./configure_fail_point.ts";
import { connectionStatus } from "./connection_status.ts";
import { connPoolStats } from "./conn_pool_stats.ts";
import { convertToCapped } from "./convert_to_capped.ts";
import { count } from "./count.ts";
import { create } from "./create.ts";
import { createIndexes } from "./create_indexes.ts";
import { currentOp } from "./current_op.ts";
import { dataSize } from "./data_size.ts";
import { dbHash } from "./db_hash.ts";
import { dbStats } from "./db_stats.ts";
import { deleteCommand } from "./delete.ts";
import { distinct } from "./distinct.ts";
import { drop } from "./drop.ts";
import { dropIndexes } from "./drop_indexes.ts";
import { emptyCaches } from "./empty_caches.ts";
import { dropDatabase } from "./drop_database.ts";
import { abortTransaction, commitTransaction } from "./end_transaction.ts";
import { explainCommand } from "./explain.ts";
import { features } from "./features.ts";
import { find } from "./find.ts";
import { findAndModify } from "./find_and_modify.ts";
import { fsync } from "./fsync.ts";
import { getCmdLineOpts } from "./get_cmd_line_opts.ts";
import { getDefaultRWConcern } from "./get_default_rw_concern.ts";
import { getLog } from "./get_log.ts";
import { getMore } from "./get_more.ts";
import { getParameter } from "./get_parameter.ts";
import { hello, isMaster } from "./hello.ts";
import { hostInfo } from "./host_info.ts";
import { insert } from "./insert.ts";
import { killCursors } from "./kill_cursors.ts";
import { killOp } from "./kill_op.ts";
import { listCollections } from "./list_collections.ts";
import { listCommandsCommand } from "./list_commands.ts";
import { listDatabases } from "./list_databases.ts";
import { listIndexes } from "./list_indexes.ts";
import { lockInfo } from "./lock_info.ts";
import { logRotate } from "./log_rotate.ts";
import { logout } from "./logout.ts";
import { MISSING_COMMANDS } from "./missing_commands.ts";
import { ping } from "./ping.ts";
import { planCacheClear, planCacheClearFilters, planCacheListFilters } from "./plan_cache.ts";
import { profile } from "./profile.ts";
import { reIndex } from "./re_index.ts";
import { renameCollection } from "./rename_collection.ts";
import { replSetGetConfig } from "./repl_set_get_config.ts";
import { replSetGetStatus } from "./repl_set_get_status.ts";
import { serverStatus } from "./server_status.ts";
import {
  endSessions,
  killAllSessions,
  killAllSessionsByPattern,
  killSessions,
  refreshSessions,
} from "./session_lists.ts";
import { setParameter } from "./set_parameter.ts";
import { startSession } from "./start_session.ts";
import { top } from "./top.ts";
import { update } from "./update.ts";
import { invalidateUserCache, rolesInfo, usersInfo } from "./users_and_roles.ts";
import { validate } from "./validate.ts";
import { whatsMyUri } from "./whats_my_uri.ts";

/** All commands that there are. What is known and missing is listed in `missing_commands.ts`. */
export const COMMANDS: readonly Command[] = [
  abortTransaction,
  aggregate,
  balancerStatus,
  buildInfo,
  bulkWrite,
  checkMetadataConsistency,
  cloneCollectionAsCapped,
  collMod,
  collStats,
  commitTransaction,
  compact,
  configureFailPoint,
  connPoolStats,
  connectionStatus,
  convertToCapped,
  count,
  create,
  createIndexes,
  currentOp,
  dataSize,
  dbHash,
  dbStats,
  deleteCommand,
  distinct,
  drop,
  dropDatabase,
  dropIndexes,
  emptyCaches,
  endSessions,
  explainCommand((name) => findCommand(name) !== undefined || MISSING_COMMANDS.has(name)),
  features,
  find,
  findAndModify,
  fsync,
  getCmdLineOpts,
  getDefaultRWConcern,
  getLog,
  getMore,
  getParameter,
  hello,
  hostInfo,
  insert,
  invalidateUserCache,
  isMaster,
  isDbGrid,
  killAllSessions,
  killAllSessionsByPattern,
  killCursors,
  killOp,
  killSessions,
  listCollections,
  listCommandsCommand(() => COMMANDS),
  listDatabases,
  listIndexes,
  listShards,
  lockInfo,
  logRotate,
  logout,
  ping,
  planCacheClear,
  planCacheClearFilters,
  planCacheListFilters,
  profile,
  reIndex,
  refreshSessions,
  renameCollection,
  replSetGetConfig,
  replSetGetStatus,
  rolesInfo,
  serverStatus,
  setParameter,
  startSession,
  testDeprecation,
  testVersion2,
  testVersions1And2,
  top,
  update,
  usersInfo,
  validate,
  whatsMyUri,
];

const BY_NAME: ReadonlyMap<string, Command> = new Map(
  COMMANDS.flatMap((command) =>
    [command.name, ...command.aliases ?? []].map((name) => [name, command] as const)
  ),
);

/** The command of that name, by any of its spellings. */
export function findCommand(name: string): Command | undefined {
  return BY_NAME.get(name);
}
