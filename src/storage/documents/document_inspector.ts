/** Tells how much a store of regular collections holds, and whether that is whole. */
import type { DatabaseSync } from "node:sqlite";
import { compareBytes, RawDocument, type Value } from "../../bson/mod.ts";
import { ID_INDEX_NAME } from "./id_index.ts";
import { IndexUses } from "./index_uses.ts";
import type { IndexTables } from "./index_tables.ts";
import type { Totals } from "./totals.ts";
import { PageSizes } from "./page_sizes.ts";
import { type CollectionVerification, verifyCollection } from "./verify_collection.ts";

export interface DocumentStats {
  readonly count: number;
  /** Bytes of the documents as BSON. */
  readonly dataBytes: number;
  /** Bytes of the pages of the documents. */
  readonly storageBytes: number;
  /** Bytes of the pages of each index, that on _id first. */
  readonly indexSizes: ReadonlyMap<string, number>;
  /** Scans by each index that there were. */
  readonly indexUses: ReadonlyMap<string, number>;
}

export interface VerificationRequest {
  /** Names of the indexes that are made already. */
  readonly indexes: readonly string[];
  /** Looks at SQLite's pages as well. */
  readonly isFull: boolean;
  /** Lets others run. */
  readonly pause: () => Promise<void>;
}

/** Documents told of that have a key together. */
const MAX_DUPLICATES = 1000;

export class DocumentInspector {
  private readonly sizes: PageSizes;
  readonly uses = new IndexUses();

  /** @param indexesOf a collection's, as they are when asked */
  constructor(
    private readonly reading: DatabaseSync,
    private readonly indexesOf: (id: number) => IndexTables | undefined,
  ) {
    this.sizes = new PageSizes(reading);
  }

  stats(id: number, { count, dataBytes }: Totals): DocumentStats {
    const pageBytes = (name: string) => this.sizes.of(id, name, dataBytes);
    const indexSizes = new Map([
      [ID_INDEX_NAME, pageBytes(`c${id}_id`)],
      ...this.indexesOf(id)?.sizes(pageBytes) ?? [],
    ]);
    return { count, dataBytes, storageBytes: pageBytes(`c${id}`), indexSizes, indexUses: this.uses.of(id) };
  }

  /** Reads all documents of a collection and its indexes. */
  async verify(
    id: number,
    { indexes: names, isFull, pause }: VerificationRequest,
  ): Promise<CollectionVerification> {
    const indexes = this.indexesOf(id);
    const isThere = () => this.indexesOf(id) === indexes;
    const verifiers = indexes?.verifiers(this.reading, names, isThere) ?? [];
    return await verifyCollection(this.reading, id, verifiers, isFull, pause);
  }

  /** The ids of documents that have a key of an index together, key by key, some of them. */
  duplicates(id: number, name: string): readonly (readonly Value[])[] {
    const index = this.indexesOf(id)?.find(name);
    if (index === undefined) return [];
    const table = `i${id}_${index.number}`;
    const rows = this.reading.prepare(
      `SELECT i.key AS key, c.doc AS doc FROM (SELECT key FROM ${table} GROUP BY key HAVING count(*) > 1 ` +
        `LIMIT ${MAX_DUPLICATES}) d JOIN ${table} i ON i.key = d.key JOIN c${id} c ON c.seq = i.seq ` +
        `ORDER BY i.key, i.seq LIMIT ${MAX_DUPLICATES}`,
    ).iterate();
    const found: Value[][] = [];
    let last: Uint8Array | undefined;
    for (const row of rows) {
      const key = row["key"] as Uint8Array;
      if (last === undefined || compareBytes(last, key) !== 0) found.push([]);
      last = key;
      found.at(-1)!.push(new RawDocument(row["doc"] as Uint8Array).get("_id"));
    }
    return found;
  }

  /** A collection is gone, or indexes of it. @param names the indexes; undefined for all of it */
  forget(id: number, names?: readonly string[]): void {
    this.sizes.forget(id);
    this.uses.forget(id, names);
  }
}
