/** The stages that a pipeline may begin with whose rows the server itself knows: one sorted table. */
import { CommandError, type ErrorCodeLike } from "../base/mod.ts";
import {
  aliasOfType,
  Binary,
  BuiltDocument,
  Document,
  RawDocument,
  typeOf,
  UtcDate,
  type Value,
} from "../bson/mod.ts";
import type { Namespace } from "../cluster/mod.ts";
import { Arguments, checkFields } from "./arguments.ts";
import { collStatsDocument } from "./coll_stats_stage.ts";
import type { CommandCall } from "./command.ts";
import { currentOperations } from "./current_op_stage.ts";
import type { GenericArguments } from "./generic.ts";
import { indexesOf } from "./indexes.ts";
import { int64 } from "./numbers.ts";

export interface FirstStage {
  /** @throws CommandError unless it may run there; undefined stands for a whole database */
  readonly checkPlace: (db: string, collection: string | undefined) => void;
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
    checkPlace: onCollection("$collStats"),
    documents: async (call, namespace, spec) => [await collStatsDocument(call, namespace, spec)],
  },
  $currentOp: {
    checkPlace: (db, collection) => {
      if (db === "admin" && collection === undefined) return;
      throw misplaced("$currentOp must be run against the 'admin' database with {aggregate: 1}");
    },
    documents: (call) => currentOperations(call),
  },
  $indexStats: { checkPlace: onCollection("$indexStats"), documents: indexStats },
  $listLocalSessions: {
    checkPlace: (_, collection) => {
      if (collection === undefined) return;
      throw misplaced(
        "$listLocalSessions must be run against the database with {aggregate: 1}, not a collection",
      );
    },
    documents: (call, _, spec) => sessions(call, "$listLocalSessions", spec),
  },
  $listSessions: {
    checkPlace: (db, collection) => {
      if (db === "config" && collection === "system.sessions") return;
      throw misplaced("$listSessions may only be run against config.system.sessions");
    },
    documents: (call, _, spec) => sessions(call, "$listSessions", spec),
  },
  $planCacheStats: { checkPlace: onCollection("$planCacheStats"), documents: planCacheStats },
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

/** The sessions that clients hold: there are no users, so all of them are anybody's. */
function sessions(call: CommandCall, name: string, spec: Value): readonly Document[] {
  if (!(spec instanceof RawDocument)) {
    throw failure(
      "TypeMismatch",
      `${name} options must be specified in an object, but found: ${aliasOfType(typeOf(spec))}`,
    );
  }
  checkFields(new Arguments(spec), name, { allUsers: "bool", users: "array" });
  const { clock } = call.state.services;
  const offsetMs = clock.nowMs() - clock.monotonicMs();
  return call.state.sessions.all().map(({ id, lastUsedMs }) =>
    BuiltDocument.of({
      _id: BuiltDocument.of({ id: uuidOf(id), uid: new Binary(NO_USER, 0) }),
      lastUse: new UtcDate(Math.floor(lastUsedMs + offsetMs)),
    })
  );
}

/** SHA-256 of the empty text, which MongoDB has for a user without a name. */
const NO_USER = Uint8Array.from(
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".match(/../g)!,
  (byte) => parseInt(byte, 16),
);

function uuidOf(text: string): Binary {
  return new Binary(
    Uint8Array.from(text.replaceAll("-", "").match(/../g)!, (byte) => parseInt(byte, 16)),
    Binary.SUBTYPE_UUID,
  );
}

function misplaced(message: string): CommandError {
  return new CommandError("InvalidNamespace", message);
}

function failure(code: ErrorCodeLike, message: string): CommandError {
  return new CommandError(code, message);
}
