/** `$out`: the rows of the pipeline become a collection, in the place of the one of that name, all at once. */
import { CommandError } from "../../base/mod.ts";
import { Document, type Value } from "../../bson/mod.ts";
import type { CollectionName } from "../collections.ts";
import type { QueryContext } from "../context.ts";
import { typeName } from "../expression/message.ts";
import { noRowsAfter } from "../rows.ts";
import type { Rows } from "../source.ts";

export interface OutStage {
  readonly kind: "out";
  /** Undefined for the pipeline's own. */
  readonly db: string | undefined;
  readonly collection: string;
  /** The options of a time series, as written. */
  readonly timeseries: Document | undefined;
  /** As written, for `explain`. */
  readonly source: Value;
}

/** Databases that hold the server's own. */
export const INTERNAL_DATABASES: ReadonlySet<string> = new Set(["admin", "config", "local"]);

export function parseOut(value: Value): OutStage {
  if (typeof value === "string") {
    checkTarget(undefined, value);
    return { kind: "out", db: undefined, collection: value, timeseries: undefined, source: value };
  }
  if (!(value instanceof Document)) {
    throw new CommandError(
      16990,
      `$out only supports a string or object argument, but found ${typeName(value)}`,
    );
  }
  const names = value.names();
  const isComplete = value.has("db") && value.has("coll") &&
    names.length === (value.has("timeseries") ? 3 : 2);
  if (!isComplete) {
    throw new CommandError(
      16994,
      "If an object is passed to $out it must have exactly 2 fields: 'db' and 'coll'",
    );
  }
  const [db, collection] = [textAt(value, "db"), textAt(value, "coll")];
  checkTarget(db, collection);
  return { kind: "out", db, collection, timeseries: timeseriesAt(value), source: value };
}

function textAt(spec: Document, name: string): string {
  const value = spec.get(name);
  if (typeof value === "string") return value;
  throw new CommandError(13111, `wrong type for field (${name}) ${typeName(value)} != string`);
}

function timeseriesAt(spec: Document): Document | undefined {
  const options = spec.get("timeseries");
  if (options === undefined || options instanceof Document) return options;
  throw new CommandError(
    "TypeMismatch",
    `BSON field '$out.timeseries' is the wrong type '${typeName(options)}', expected type 'object'`,
  );
}

function checkTarget(db: string | undefined, collection: string): void {
  if (collection === "" || db === "") {
    throw new CommandError("InvalidNamespace", `Invalid $out target namespace, '${collection}'`);
  }
  if (collection.startsWith("system.")) {
    throw new CommandError(17385, `Can't $out to special collection: ${collection}`);
  }
  if (db !== undefined && INTERNAL_DATABASES.has(db)) {
    throw new CommandError(31321, `Can't $out to internal database: ${db}`);
  }
}

export function runOut(stage: OutStage, input: Rows, context: QueryContext): Rows {
  return noRowsAfter(() => replaceBy(stage, input, context));
}

async function replaceBy(stage: OutStage, input: Rows, context: QueryContext): Promise<void> {
  const { collections } = context;
  const target: CollectionName = { db: stage.db ?? collections.db, collection: stage.collection };
  checkPlace(stage, target, context);
  const replacement = await collections.replace(target, stage.timeseries);
  let isDone = false;
  try {
    for await (const batch of input) {
      await replacement.insert(batch);
      await context.checkpoint();
    }
    await replacement.commit();
    isDone = true;
  } finally {
    if (!isDone) await replacement.abandon();
  }
}

function checkPlace(stage: OutStage, target: CollectionName, context: QueryContext): void {
  const text = `${target.db}.${target.collection}`;
  if (INTERNAL_DATABASES.has(target.db)) {
    throw new CommandError(31321, `Can't $out to internal database: ${target.db}`);
  }
  if (target.collection.includes("$")) {
    throw new CommandError(
      "IllegalOperation",
      `error with target namespace: Invalid collection name: ${target.collection}`,
    );
  }
  const kind = context.collections.kindOf(target);
  if (kind === "view") {
    throw new CommandError("CommandNotSupportedOnView", `Namespace ${text} is a view, not a collection`);
  }
  if (kind === "documents" && stage.timeseries !== undefined) {
    throw new CommandError(
      7268700,
      "Cannot create a time-series collection from a non time-series collection.",
    );
  }
}
