/** Tells how much a store of regular collections holds, and whether that is whole. */
import type { DatabaseSync } from "node:sqlite";
import { ID_INDEX_NAME } from "./id_index.ts";
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
}

export interface VerificationRequest {
  /** Names of the indexes that are made already. */
  readonly indexes: readonly string[];
  /** Looks at SQLite's pages as well. */
  readonly isFull: boolean;
  /** Lets others run. */
  readonly pause: () => Promise<void>;
}

export class DocumentInspector {
  private readonly sizes: PageSizes;

  constructor(private readonly reading: DatabaseSync) {
    this.sizes = new PageSizes(reading);
  }

  stats(id: number, { count, dataBytes }: Totals, tables: IndexTables | undefined): DocumentStats {
    const pageBytes = (name: string) => this.sizes.of(id, name, dataBytes);
    const indexSizes = new Map([
      [ID_INDEX_NAME, pageBytes(`c${id}_id`)],
      ...tables?.sizes(pageBytes) ?? [],
    ]);
    return { count, dataBytes, storageBytes: pageBytes(`c${id}`), indexSizes };
  }

  /**
   * Reads all documents of a collection and its indexes.
   *
   * @param tables the indexes, as they are when asked
   */
  async verify(
    id: number,
    tables: () => IndexTables | undefined,
    { indexes: names, isFull, pause }: VerificationRequest,
  ): Promise<CollectionVerification> {
    const indexes = tables();
    const verifiers = indexes?.verifiers(this.reading, names, () => tables() === indexes) ?? [];
    return await verifyCollection(this.reading, id, verifiers, isFull, pause);
  }

  /** A collection is gone, or indexes of it. */
  forget(id: number): void {
    this.sizes.forget(id);
  }
}
