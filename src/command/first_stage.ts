/** The stages that a pipeline may begin with whose rows the server itself knows: one sorted table. */
import { CommandError, type ErrorCodeLike } from "../base/mod.ts";
import { aliasOfType, BuiltDocument, Document, typeOf, UtcDate, type Value } from "../bson/mod.ts";
import type { Namespace } from "../cluster/mod.ts";
import { collStatsDocument } from "./coll_stats_stage.ts";
import type { CommandCall } from "./command.ts";
import { checkCurrentOpAccess, checkCurrentOpOptions, currentOperations } from "./current_op_stage.ts";
import type { GenericArguments } from "./generic.ts";
import { indexesOf } from "./indexes.ts";
import { int64 } from "./numbers.ts";
import { checkSessionsSpec, heldSessions } from "./sessions_stage.ts";

export interface FirstStage {
  /** @throws CommandError unless it may run there, as it is written; undefined stands for a whole database */
  readonly check: (db: string, collection: string | undefined, spec: Value) => void;
  /** @throws CommandError when the specification is bad */
  readonly documents: (
    call: CommandCall,
    namespace: Namespace,
    spec: Value,
  ) => readonly Document[] | Promise<readonly Document[]>;
}

const onCollection = (name: string) => (_db: string, collection: string | undefined) => {
  if (collection === undefined) {
    throw misplaced(`{aggregate: 1} is not valid for '${name}'; a collection is required.`);
  }
};

const FIRST_STAGES: Readonly<Record<string, FirstStage>> = {
  $collStats: {
    check: onCollection("$collStats"),
    documents: async (call, namespace, spec) => [await collStatsDocument(call, namespace, spec)],
  },
  $currentOp: {
    check: (db, collection, spec) => {
      checkCurrentOpAccess(spec);
      if (db !== "admin" || collection !== undefined) {
        throw misplaced("$currentOp must be run against the 'admin' database with {aggregate: 1}");
      }
      checkCurrentOpOptions(spec);
    },
    documents: currentOperations,
  },
  $indexStats: { check: onCollection("$indexStats"), documents: indexStats },
  $listLocalSessions: {
    check: (_, collection, spec) => {
      checkSessionsSpec("$listLocalSessions", spec);
      if (collection === undefined) return;
      throw misplaced(
        "$listLocalSessions must be run against the database with {aggregate: 1}, not a collection",
      );
    },
    documents: heldSessions,
  },
  $listSessions: {
    check: (db, collection, spec) => {
      checkSessionsSpec("$listSessions", spec);
      if (db === "config" && collection === "system.sessions") return;
      throw misplaced("$listSessions may only be run against config.system.sessions");
    },
    documents: heldSessions,
  },
  $planCacheStats: { check: onCollection("$planCacheStats"), documents: planCacheStats },
};

const IN_STABLE_API: ReadonlySet<string> = new Set(["$collStats"]);

/**
 * The stage that a pipeline begins with if it is one of these.
 *
 * @throws CommandError APIStrictError where the client wants the Stable API only, and the stage is not in it
 */
export function firstStageOf(
  stages: readonly Value[],
  { apiStrict }: GenericArguments,
): { name: string; stage: FirstStage; spec: Value } | undefined {
  const first = stages[0];
  if (!(first instanceof Document)) return undefined;
  const name = first.names()[0] ?? "";
  if (!isFirstStage(name)) return undefined;
  if (apiStrict && !IN_STABLE_API.has(name)) {
    throw failure("APIStrictError", `${name} is not allowed with 'apiStrict: true' in API Version 1`);
  }
  return { name, stage: FIRST_STAGES[name]!, spec: first.values()[0] };
}

/** Whether a stage of that name is one of these. */
export function isFirstStage(name: string): boolean {
  return Object.hasOwn(FIRST_STAGES, name);
}

/** How often each index was used; those of time series are not counted. */
function indexStats(call: CommandCall, namespace: Namespace, spec: Value): readonly Document[] {
  if (!(spec instanceof Document) || !spec.isEmpty()) {
    throw failure(28803, "The $indexStats stage specification must be an empty object");
  }
  const { router, host, port, startedAtMs } = call.state.services;
  const info = router.collection(namespace);
  if (info === undefined) return [];
  const since = new UtcDate(Math.floor(startedAtMs));
  const { indexUses } = router.stats(namespace);
  return indexesOf(info).map((index) =>
    BuiltDocument.of({
      name: index.get("name"),
      key: index.get("key"),
      host: `${host.hostname}:${port}`,
      accesses: BuiltDocument.of({ ops: int64(indexUses?.get(String(index.get("name"))) ?? 0), since }),
      spec: index,
    })
  );
}

/** Plans are made anew for each query: no cache, no rows. */
function planCacheStats(_call: CommandCall, _namespace: Namespace, spec: Value): readonly Document[] {
  if (!(spec instanceof Document)) {
    throw failure(
      "FailedToParse",
      `$planCacheStats value must be an object. Found: ${aliasOfType(typeOf(spec))}`,
    );
  }
  if (!spec.isEmpty() && !(spec.names().length === 1 && spec.has("allHosts"))) {
    throw failure("FailedToParse", "$planCacheStats parameters object must be empty. Found: object");
  }
  return [];
}

function misplaced(message: string): CommandError {
  return new CommandError("InvalidNamespace", message);
}

function failure(code: ErrorCodeLike, message: string): CommandError {
  return new CommandError(code, message);
}
