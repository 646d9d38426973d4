/**
 * Collections clustered by _id: they have no index on it beside their documents, and the order in which documents are found
 * without being asked for in another one is that of _id. The client may have named the clustered index.
 */
import type { CommandError } from "../base/mod.ts";
import { Document } from "../bson/mod.ts";
import {
  duplicateKeyError,
  ID_INDEX_NAME,
  type IndexOrder,
  type ScanOrder,
  type TakenKey,
} from "../storage/mod.ts";
import type { CollectionInfo } from "./catalog.ts";

/** As the options have it; undefined for a collection that is not clustered. */
export function clusteredIndexOf({ options }: CollectionInfo): Document | undefined {
  const index = options.get("clusteredIndex");
  return index instanceof Document ? index : undefined;
}

/** The name of the index that a collection is clustered by; undefined where it is not. */
export function clusteredName(info: CollectionInfo): string | undefined {
  const name = clusteredIndexOf(info)?.get("name");
  return name === undefined ? undefined : String(name);
}

/** How the store finds documents of a clustered collection. @param name the clustered index's */
export function clusteredOrder<Order extends ScanOrder>(name: string | undefined, order: Order): Order {
  if (name === undefined || order.ids !== undefined) return order;
  const stored = (index: IndexOrder) => index.name === name ? { ...index, name: ID_INDEX_NAME } : index;
  if (order.union !== undefined) return { ...order, union: order.union.map(stored) };
  const { index, backward = false, ...others } = order;
  const byId = { name: ID_INDEX_NAME, ranges: [ALL_KEYS], backward, repeats: false };
  return { ...others as Order, index: index === undefined ? byId : stored(index) };
}

const ALL_KEYS = { from: new Uint8Array(), to: Uint8Array.of(0xff) };

/** As `duplicateKeyError`, which does not name a clustered index. */
export function takenError(
  { namespace, clusteredIndex }: {
    readonly namespace: string;
    readonly clusteredIndex?: string | undefined;
  },
  taken: TakenKey,
): CommandError {
  const isClustered = clusteredIndex !== undefined && taken.name === ID_INDEX_NAME;
  return duplicateKeyError(namespace, isClustered ? { ...taken, name: undefined } : taken);
}
