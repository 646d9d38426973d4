/** Documents by the keys of one index in SQLite, as one connection sees them. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { StoredRow } from "./collection_table.ts";
import { prepareTuples } from "./sqlite.ts";

/** Keys from `from` on, below `to`; where a batch ended, from or up to one of several rows under the key. */
export interface KeyRange {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  /** Forward: rows under `from` up to this one were read. */
  readonly afterSeq?: number;
  /** Backward: rows under `to` from this one on were read. */
  readonly beforeSeq?: number;
}

/** A document under one of its keys. */
export interface IndexRow extends StoredRow {
  readonly key: Uint8Array;
}

export interface IndexBatch {
  readonly rows: readonly IndexRow[];
  /** What is still to be read; undefined for nothing. */
  readonly left: KeyRange | undefined;
}

/** Bytes of documents read at once, beyond the first one. */
const BATCH_BYTES = 256 * 1024;

/** By an index of index_tables.ts. CROSS JOIN: the index leads. */
export function indexRows(id: number, number: number): string {
  return `SELECT i.key, i.seq, c.doc FROM i${id}_${number} i CROSS JOIN c${id} c ON c.seq = i.seq`;
}

/** By the index on _id (collection_table.ts). */
export function idRows(id: number): string {
  return `SELECT i.key, i.seq, i.doc FROM c${id} i INDEXED BY c${id}_id`;
}

export class IndexReader {
  private readonly forward: StatementSync;
  private readonly backward: StatementSync;

  /** @param rows a query of all of them, as `indexRows` and `idRows` */
  constructor(database: DatabaseSync, rows: string) {
    this.forward = prepareTuples(
      database,
      `${rows} WHERE (i.key, i.seq) > (?, ?) AND i.key < ? ORDER BY i.key, i.seq LIMIT ?`,
    );
    this.backward = prepareTuples(
      database,
      `${rows} WHERE (i.key, i.seq) < (?, ?) AND i.key >= ? ORDER BY i.key DESC, i.seq DESC LIMIT ?`,
    );
  }

  /** The next rows of a range. */
  read(range: KeyRange, backward: boolean, maxRows: number): IndexBatch {
    const { from, to, afterSeq = 0, beforeSeq = 0 } = range;
    const found = backward
      ? this.backward.iterate(to, beforeSeq, from, maxRows)
      : this.forward.iterate(from, afterSeq, to, maxRows);
    const rows: IndexRow[] = [];
    let bytes = 0;
    let key: Uint8Array | undefined;
    for (const row of found as Iterable<unknown> as Iterable<[Uint8Array, number, Uint8Array]>) {
      const [rowKey, seq, doc] = row;
      key = rowKey;
      rows.push({ seq, doc, key });
      bytes += doc.length;
      if (bytes >= BATCH_BYTES) break;
    }
    const isEnd = key === undefined || (rows.length < maxRows && bytes < BATCH_BYTES);
    if (isEnd) return { rows, left: undefined };
    const last = rows.at(-1)!.seq;
    return {
      rows,
      left: backward ? { from, to: key!, beforeSeq: last } : { from: key!, to, afterSeq: last },
    };
  }
}
