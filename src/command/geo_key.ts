/**
 * `$geoNear` as far as it depends on the collection. Without a `key` the field is that of the collection's only index of
 * places. The catalog knows it, not the language, so the key is written into the stage before that is parsed.
 */
import { CommandError } from "../base/mod.ts";
import { Document, DocumentBuilder, isArray, type Value } from "../bson/mod.ts";
import {
  type CollectionInfo,
  type Namespace,
  namespaceText,
  resolveView,
  type Router,
} from "../cluster/mod.ts";
import { withContext } from "../query/mod.ts";

/** Where pipelines over other collections stand in a stage, and what names the collection. */
const NESTED: Readonly<Record<string, string>> = { $lookup: "from", $unionWith: "coll" };

/**
 * The stages of a pipeline, with keys where they lack them.
 *
 * @throws CommandError NamespaceNotFound or IndexNotFound where no field can be told
 */
export function withGeoKeys(
  router: Router,
  namespace: Namespace,
  stages: readonly Value[],
): readonly Value[] {
  const first = stages.findIndex((stage) => !isEmptyMatch(stage));
  return stages.map((stage, i) => {
    if (!(stage instanceof Document)) return stage;
    const name = stage.names()[0] ?? "";
    const spec = stage.get(name);
    if (!(spec instanceof Document)) return stage;
    if (name === "$geoNear" && i === first) return withSpec(name, withKey(router, namespace, spec));
    const from = spec.get(NESTED[name] ?? "");
    const pipeline = spec.get("pipeline");
    if (typeof from !== "string" || !isArray(pipeline)) return stage;
    const inner = withinPipeline(() => withGeoKeys(router, { db: namespace.db, collection: from }, pipeline));
    if (inner.every((each, j) => each === pipeline[j])) return stage;
    return withSpec(name, DocumentBuilder.from(spec).append("pipeline", inner).build());
  });
}

/** MongoDB looks for the index of a pipeline within another one when it runs that. */
function withinPipeline<T>(action: () => T): T {
  try {
    return action();
  } catch (error) {
    const isLooked = error instanceof CommandError &&
      (error.codeName === "NamespaceNotFound" || error.codeName === "IndexNotFound");
    throw isLooked ? withContext("PlanExecutor error during aggregation", error) : error;
  }
}

function isEmptyMatch(stage: Value): boolean {
  const filter = stage instanceof Document ? stage.get("$match") : undefined;
  return filter instanceof Document && filter.isEmpty();
}

function withSpec(name: string, spec: Document): Document {
  return new DocumentBuilder().append(name, spec).build();
}

function withKey(router: Router, namespace: Namespace, spec: Document): Document {
  const find = (name: Namespace) => router.collection(name);
  const below = resolveView(namespace, find).namespace;
  const info = find(below);
  if (info === undefined) {
    const text = `$geoNear requires a geo index to run, but ${namespaceText(below)} does not exist`;
    throw new CommandError("NamespaceNotFound", text);
  }
  const query = spec.get("query");
  if (info.timeseries !== undefined && query instanceof Document && !query.isEmpty()) {
    throw new CommandError(
      1938439,
      "Failed to optimize pipeline :: caused by :: Must not specify 'query' for $geoNear on a time-series collection; " +
        "use $match instead",
    );
  }
  if (spec.has("key")) return spec;
  const path = placePath(info);
  return path === undefined ? spec : DocumentBuilder.from(spec).append("key", path).build();
}

/** Undefined where there is no index of places. */
function placePath(info: CollectionInfo): string | undefined {
  if (info.timeseries !== undefined) {
    throw new CommandError(
      5892921,
      "Failed to optimize pipeline :: caused by :: Must specify 'key' option for $geoNear on a time-series collection",
    );
  }
  const paths = (info.indexes ?? []).flatMap((index) => {
    const key = index.get("key");
    if (!(key instanceof Document)) return [];
    return key.names().filter((name) => key.get(name) === "2dsphere").slice(0, 1);
  });
  if (paths.length < 2) return paths[0];
  const text = `There is more than one 2dsphere index on ${
    namespaceText(info)
  }; unsure which to use for $geoNear`;
  throw new CommandError("IndexNotFound", text);
}
