/**
 * What tables and indexes take in a SQLite file. SQLite looks at every page to tell, so a large one is looked at again only
 * when its collection has changed much since; until then it counts as having changed alike.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";

/** A collection of less is looked at each time. */
const SMALL_BYTES = 4 * 1024 * 1024;
/** The part of its bytes by which a larger one may have changed. */
const CHANGED_PART = 0.1;

interface Measured {
  readonly dataBytes: number;
  readonly pageBytes: number;
}

export class PageSizes {
  /** By collection and table. */
  private readonly measured = new Map<number, Map<string, Measured>>();
  private readonly sum: StatementSync;

  constructor(database: DatabaseSync) {
    this.sum = database.prepare("SELECT sum(pgsize) AS bytes FROM dbstat WHERE name = ?");
  }

  /** Bytes of the pages of a table or an index. @param dataBytes of the documents of its collection */
  of(id: number, name: string, dataBytes: number): number {
    const known = this.measured.get(id)?.get(name);
    if (known !== undefined && isNear(known, dataBytes)) {
      return Math.round(known.pageBytes * (dataBytes / known.dataBytes));
    }
    const pageBytes = Number(this.sum.get(name)?.["bytes"] ?? 0);
    if (dataBytes < SMALL_BYTES) return pageBytes;
    const tables = this.measured.get(id) ?? new Map<string, Measured>();
    this.measured.set(id, tables.set(name, { dataBytes, pageBytes }));
    return pageBytes;
  }

  /** Some tables of a collection are gone. */
  forget(id: number): void {
    this.measured.delete(id);
  }
}

function isNear(known: Measured, dataBytes: number): boolean {
  return Math.abs(dataBytes - known.dataBytes) <= known.dataBytes * CHANGED_PART;
}
