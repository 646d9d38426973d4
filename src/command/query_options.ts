/** Options that reads share. */
import { CommandError } from "../base/mod.ts";
import { Document, equalValues, Int32, isNumber, type Value } from "../bson/mod.ts";
import type { Namespace } from "../cluster/mod.ts";
import type { Pipeline } from "../query/mod.ts";
import { type Arguments, numberOf } from "./arguments.ts";
import type { CommandCall } from "./command.ts";
import { ID_INDEX, listedIndexes } from "./indexes.ts";

/** Whether what does not fit in memory may go to disk: unless the client says no, as in MongoDB since 6.0. */
export function allowsDiskUse(args: Arguments): boolean {
  return args.get("allowDiskUse") !== false;
}

/**
 * Accepts a hint that names an index of the collection, or $natural: they choose among equal ways.
 *
 * @throws CommandError BadValue when there is no such index, IndexNotFound when several have the key, FailedToParse when it is neither name nor key
 */
export function checkHint(call: CommandCall, namespace: Namespace, hint = call.args.get("hint")): void {
  checkHintForm(hint);
  if (hint === undefined) return;
  const info = call.state.services.router.collection(namespace);
  if (info === undefined || info.view !== undefined) return;
  if (hint instanceof Document && (hint.isEmpty() || isNaturalOrder(hint))) return;
  // Compass counts with this hint; MongoDB takes it for a time series too, whose buckets are clustered by _id.
  if (info.timeseries !== undefined && hint === ID_INDEX.get("name")) return;
  const meant = listedIndexes(info).filter((index) =>
    index.get("hidden") !== true &&
    equalValues(hint instanceof Document ? index.get("key") : index.get("name"), hint)
  );
  if (meant.length === 1) return;
  const where =
    `error processing query: ns=${namespace.db}.${namespace.collection} planner returned error :: caused by ::`;
  if (meant.length === 0) {
    throw new CommandError("BadValue", `${where} hint provided does not correspond to an existing index`);
  }
  const names = meant.map((index) => index.get("name")).join(" and ");
  throw new CommandError(
    "IndexNotFound",
    `${where} Hint matched multiple indexes, must hint by index name. Matched: ${names}`,
  );
}

/** The pipeline with the command's hint. */
export function withHint(pipeline: Pipeline, args: Arguments): Pipeline {
  const hint = hintOf(args.get("hint"));
  if (hint instanceof Document && isNumber(hint.get("$natural")) && numberOf(hint.get("$natural")) < 0) {
    return { ...pipeline, hint, backward: true };
  }
  return hint === undefined ? pipeline : { ...pipeline, hint };
}

/** A hint as plans take it; an empty one is none. */
export function hintOf(hint: Value): Value {
  return hint instanceof Document && hint.isEmpty() ? undefined : hint;
}

/** @throws CommandError FailedToParse when a hint is neither name nor key */
export function checkHintForm(hint: Value): void {
  if (hint === undefined || typeof hint === "string" || hint instanceof Document) return;
  throw new CommandError("FailedToParse", "Hint must be a string or an object");
}

function isNaturalOrder(hint: Document): boolean {
  const order = hint.get("$natural");
  return order === 1 || order === -1 || order instanceof Int32;
}
