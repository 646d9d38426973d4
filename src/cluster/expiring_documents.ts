/**
 * TTL indexes: which documents of a regular collection have outlived them. One on a field with an array goes by the earliest
 * date in it; what is no date never goes.
 */
import { setImmediate as untilNextTurn } from "node:timers/promises";
import { BuiltDocument, Document, Int32, UtcDate } from "../bson/mod.ts";
import { newScanCounters } from "../query/mod.ts";
import { clusteredIndexOf } from "./clustered.ts";
import type { CollectionInfo } from "./catalog.ts";
import type { VNode } from "./vnode.ts";

/** What a collection lets go at a time by its TTL indexes and options, as filters. @param nowMs since 1970 */
export function expiredFilters(info: CollectionInfo, nowMs: number): readonly Document[] {
  const clustered = clusteredExpiry(info, nowMs);
  const byIndexes = (info.indexes ?? []).flatMap((index) => {
    const seconds = index.get("expireAfterSeconds");
    const key = index.get("key");
    if (!(seconds instanceof Int32) || !(key instanceof Document)) return [];
    // Indexes of other kinds keep no dates.
    if (typeof key.values()[0] === "string") return [];
    const latest = new UtcDate(nowMs - seconds.value * 1000);
    const [field = ""] = key.names();
    const expired = BuiltDocument.of({ [field]: BuiltDocument.of({ $lte: latest }) });
    const partial = index.get("partialFilterExpression");
    return [partial instanceof Document ? BuiltDocument.of({ $and: [expired, partial] }) : expired];
  });
  return clustered === undefined ? byIndexes : [...byIndexes, clustered];
}

/** Of a clustered collection that expires, by the date that an _id is. */
function clusteredExpiry(info: CollectionInfo, nowMs: number): Document | undefined {
  const seconds = info.options.get("expireAfterSeconds");
  if (clusteredIndexOf(info) === undefined || seconds === undefined) return undefined;
  const latest = new UtcDate(nowMs - Number(seconds) * 1000);
  return BuiltDocument.of({ _id: BuiltDocument.of({ $lte: latest }) });
}

/**
 * Deletes some of the documents that pass a filter, as a client would.
 *
 * @param nowMs since 1970
 * @returns how many went: fewer than `limit` where none is left
 * @throws CommandError as a write
 */
export async function deleteSome(
  vnode: VNode,
  info: CollectionInfo,
  filter: Document,
  limit: number,
  nowMs: number,
): Promise<number> {
  const context = {
    nowMs,
    variables: new Map(),
    checkpoint: () => untilNextTurn(),
    counters: newScanCounters(),
  };
  const statement = { kind: "delete", filter, multi: true, limit } as const;
  const [result] = await vnode.write(info, [statement], { ordered: true, context });
  if (result?.error !== undefined) throw result.error;
  return result?.matched ?? 0;
}
