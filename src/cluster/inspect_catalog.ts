/** A catalog snapshot, to look at. */
import type { Disk } from "../io/mod.ts";
import type { CollectionInfo } from "./catalog.ts";
import { readCatalog } from "./catalog_file.ts";
import { MNode } from "./mnode.ts";

export interface CatalogContent {
  /** The last entry that it contains. */
  readonly appliedIndex: number;
  readonly collections: readonly CollectionInfo[];
}

/** @throws CorruptionError when the file is not a catalog */
export function readCatalogFile(disk: Disk, path: string): CatalogContent {
  const mnode = new MNode();
  mnode.restore(readCatalog(disk, path) ?? new Uint8Array(0));
  return { appliedIndex: mnode.appliedIndex, collections: mnode.allCollections() };
}
