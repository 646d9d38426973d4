/** Capped collections: what they may hold, and how their documents are followed as they come. */
import { CommandError } from "../base/mod.ts";
import { Int32, type Value } from "../bson/mod.ts";
import type { ScanRequest, Source } from "../query/mod.ts";
import type { CollectionLimits, DocumentStore } from "../storage/mod.ts";
import { type CollectionInfo, namespaceText } from "./catalog.ts";

/** What a capped collection may hold; undefined for any other. */
export function cappedLimits({ options }: CollectionInfo): CollectionLimits | undefined {
  if (options.get("capped") !== true) return undefined;
  return {
    maxBytes: numberIn(options.get("size")),
    maxCount: numberIn(options.get("max")),
  };
}

/** What is not said has no limit. */
function numberIn(value: Value): number {
  if (value === undefined) return Infinity;
  return value instanceof Int32 ? value.value : Number(value);
}

/** The documents of a capped collection in order of insertion: each read goes on where the one before ended. */
export interface CollectionTail {
  /** What has come since. @throws CommandError CappedPositionLost (136) while it is read */
  readonly source: Source;
  /** Calls back whenever there may be more. @returns what ends that */
  watch(listener: () => void): () => void;
}

export function tailOf(store: DocumentStore, { id }: CollectionInfo): CollectionTail {
  const tail = { last: 0 };
  return {
    source: {
      shape: { kind: "documents" },
      scan: ({ checkpoint, counters, shown }: ScanRequest) =>
        store.scan(id, { tail, checkpoint, counters, ...(shown && { shown }) }),
    },
    watch: (listener) => store.watch(id, listener),
  };
}

/** @throws CommandError when a collection cannot be followed, with MongoDB's words for a query without conditions */
export function checkCapped(info: CollectionInfo): void {
  if (info.view !== undefined || info.timeseries !== undefined) {
    throw new CommandError(
      "InvalidPipelineOperator",
      "Tailable cursors are not supported in aggregation.",
    );
  }
  if (cappedLimits(info) !== undefined) return;
  throw new CommandError(
    "BadValue",
    `error processing query: ns=${namespaceText(info)}Tree: $and\nSort: {}\nProj: {}\n ` +
      "tailable cursor requested on non capped collection",
  );
}
