/** How many scans have gone by each index since the store was opened. */
import type { ScanOrder } from "./collection_scan.ts";
import { ID_INDEX_NAME } from "./id_index.ts";

export class IndexUses {
  /** By collection and index. */
  private readonly counts = new Map<number, Map<string, number>>();

  note(id: number, { ids, index, union }: ScanOrder): void {
    if (ids !== undefined) return this.add(id, ID_INDEX_NAME);
    for (const { name } of union ?? (index === undefined ? [] : [index])) this.add(id, name);
  }

  of(id: number): ReadonlyMap<string, number> {
    return this.counts.get(id) ?? NONE;
  }

  /** Begins anew. @param names undefined for all of a collection */
  forget(id: number, names?: readonly string[]): void {
    if (names === undefined) this.counts.delete(id);
    else for (const name of names) this.counts.get(id)?.delete(name);
  }

  private add(id: number, name: string): void {
    let counts = this.counts.get(id);
    if (counts === undefined) this.counts.set(id, counts = new Map());
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
}

const NONE: ReadonlyMap<string, number> = new Map();
