/** Documents by the keys of one index in SQLite, as one connection sees them. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { encodeKeyTypes, RawDocument } from "../../bson/mod.ts";
import { idOf } from "./apply_effect.ts";
import type { StoredRow } from "./collection_table.ts";
import {
  MAX_PACKED_ROWS,
  PACKED_COLUMNS,
  type PackedKeys,
  packedKeys,
  type PackedRows,
  unpackKeys,
  unpackRows,
} from "./packed_rows.ts";
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

/** A key of a document, and what that leaves open: see bson/key_types.ts. */
export interface KeyRow {
  readonly seq: number;
  readonly key: Uint8Array;
  readonly types: Uint8Array | null;
}

/** A document under one of its keys. */
export interface IndexRow extends StoredRow, KeyRow {}

export interface IndexBatch<Row extends { readonly seq: number } = StoredRow> {
  readonly rows: readonly Row[];
  /** What is still to be read; undefined for nothing. */
  readonly left: KeyRange | undefined;
}

/** Bytes of documents read at once, beyond the first one. */
const BATCH_BYTES = 256 * 1024;

/** Keys counted at once. */
const KEYS_COUNTED = 65_536;

/** Where keys stand, and their types. */
export interface KeyColumns {
  readonly table: string;
  readonly types: string;
}

/** The keys of an index of index_tables.ts. */
export function indexKeys(id: number, number: number): KeyColumns {
  return { table: `i${id}_${number} i`, types: "i.types" };
}

/** Those of the index on _id (collection_table.ts). */
export function idKeys(id: number): KeyColumns {
  return { table: `c${id} i INDEXED BY c${id}_id`, types: "NULL" };
}

/** Statements that make one row of many, for a range as it was asked for and for what lies between two places. */
interface PackedStatements {
  readonly whole: StatementSync;
  readonly between: StatementSync;
}

/** Comparing keys alone costs half of comparing keys and places. */
const WHOLE = "i.key >= ? AND i.key < ?";
const BETWEEN = "(i.key, i.seq) > (?, ?) AND (i.key, i.seq) <= (?, ?)";

function packedStatements(database: DatabaseSync, selected: string): PackedStatements {
  return {
    whole: prepareTuples(database, `${selected} ${WHOLE}`),
    between: prepareTuples(database, `${selected} ${BETWEEN}`),
  };
}

export class IndexReader {
  private readonly forward: StatementSync;
  private readonly backward: StatementSync;
  private readonly placeForward: StatementSync;
  private readonly placeBackward: StatementSync;
  private readonly firstPlaceForward: StatementSync;
  private readonly firstPlaceBackward: StatementSync;
  private readonly packed: PackedStatements;
  private readonly keysBetween: StatementSync;
  private readonly documentsBetween: StatementSync;
  private readonly packedKeys: PackedStatements;

  /**
   * @param columns `indexKeys` or `idKeys` of the collection
   * @param hasTypes whether the types that stand beside keys, or null where there are none, are theirs
   */
  constructor(
    database: DatabaseSync,
    id: number,
    columns: KeyColumns,
    private readonly hasTypes: () => boolean = () => true,
  ) {
    const keys = columns.table;
    // CROSS JOIN: the index leads.
    const joined = `FROM ${keys} CROSS JOIN c${id} c ON c.seq = i.seq WHERE`;
    const ascending = "(i.key, i.seq) > (?, ?) AND i.key < ? ORDER BY i.key, i.seq LIMIT";
    const descending = "(i.key, i.seq) < (?, ?) AND i.key >= ? ORDER BY i.key DESC, i.seq DESC LIMIT";
    const rows = `SELECT i.key, c.seq, c.doc, ${columns.types} ${joined}`;
    this.forward = prepareTuples(database, `${rows} ${ascending} ?`);
    this.backward = prepareTuples(database, `${rows} ${descending} ?`);
    const place = `SELECT i.key, i.seq FROM ${keys} WHERE`;
    this.placeForward = prepareTuples(database, `${place} ${ascending} 1 OFFSET ?`);
    this.placeBackward = prepareTuples(database, `${place} ${descending} 1 OFFSET ?`);
    const first = (order: string) =>
      prepareTuples(database, `${place} ${WHOLE} ORDER BY i.key ${order}, i.seq ${order} LIMIT 1 OFFSET ?`);
    this.firstPlaceForward = first("");
    this.firstPlaceBackward = first("DESC");
    this.packed = packedStatements(database, `SELECT ${PACKED_COLUMNS} ${joined}`);
    this.packedKeys = packedStatements(
      database,
      `SELECT ${packedKeys(columns.types)} FROM ${keys} WHERE`,
    );
    this.keysBetween = prepareTuples(
      database,
      `SELECT count(*) FROM ${keys} WHERE (i.key, i.seq) > (?, ?) AND i.key < ?`,
    );
    this.documentsBetween = prepareTuples(
      database,
      `SELECT count(DISTINCT i.seq) FROM ${keys} WHERE i.key >= ? AND i.key < ?`,
    );
  }

  /** The next rows of a range; they share memory. @param maxRows Infinity for a range that is known to have one key */
  read(range: KeyRange, backward: boolean, maxRows: number): IndexBatch {
    const { packed, left } = this.stretch<PackedRows>(this.packed, range, backward, maxRows);
    const rows = unpackRows(packed);
    if (rows === undefined) return this.readWithKeys(range, backward, maxRows);
    return { rows: backward ? rows.reverse() : rows, left };
  }

  /** The next rows of a range as one, and what is left then. */
  private stretch<Packed>(
    { whole, between }: PackedStatements,
    range: KeyRange,
    backward: boolean,
    maxRows: number,
  ): { readonly packed: Packed; readonly left: KeyRange | undefined } {
    const { from, to, afterSeq = 0, beforeSeq = 0 } = range;
    const last = maxRows === Infinity ? undefined : this.place(range, backward, maxRows - 1);
    const left = last && leftBehind(range, backward, ...last);
    const packed = left === undefined && isUntouched(range)
      ? whole.get(from, to)
      : backward
      ? between.get(left?.to ?? from, (left?.beforeSeq ?? 1) - 1, to, beforeSeq - 1)
      : between.get(from, afterSeq, left?.from ?? to, left?.afterSeq ?? 0);
    return { packed: packed as unknown as Packed, left };
  }

  /** The key and the place of a row of a range; undefined where there are not so many. @param at counted from 0 */
  private place(range: KeyRange, backward: boolean, at: number): readonly [Uint8Array, number] | undefined {
    const { from, to, afterSeq = 0, beforeSeq = 0 } = range;
    const row = isUntouched(range)
      ? (backward ? this.firstPlaceBackward : this.firstPlaceForward).get(from, to, at)
      : backward
      ? this.placeBackward.get(to, beforeSeq, from, at)
      : this.placeForward.get(from, afterSeq, to, at);
    return row as unknown as readonly [Uint8Array, number] | undefined;
  }

  /** How many keys a range has, in parts; of a document with several keys, only one counts. */
  *count(range: KeyRange, repeats: boolean): Generator<number, void, undefined> {
    const { to } = range;
    if (repeats) return yield firstNumber(this.documentsBetween.get(range.from, to));
    for (let from: readonly [Uint8Array, number] = [range.from, 0];;) {
      const last = this.placeForward.get(...from, to, KEYS_COUNTED - 1);
      if (last === undefined) return yield firstNumber(this.keysBetween.get(...from, to));
      yield KEYS_COUNTED;
      from = last as unknown as [Uint8Array, number];
    }
  }

  /** As `read`, without the documents where it can be; keys share memory. */
  readKeys(range: KeyRange, backward: boolean, maxRows: number): IndexBatch<KeyRow> {
    if (!this.hasTypes()) {
      return this.readWithKeys(range, backward, maxRows);
    }
    const { packed, left } = this.stretch<PackedKeys>(this.packedKeys, range, backward, maxRows);
    const rows = unpackKeys(packed);
    return { rows: backward ? rows.reverse() : rows, left };
  }

  /** As `read`; each row has memory of its own. */
  readWithKeys(range: KeyRange, backward: boolean, maxRows: number): IndexBatch<IndexRow> {
    const { from, to, afterSeq = 0, beforeSeq = 0 } = range;
    const most = Math.min(maxRows, MAX_PACKED_ROWS);
    const found = backward
      ? this.backward.iterate(to, beforeSeq, from, most)
      : this.forward.iterate(from, afterSeq, to, most);
    const rows: IndexRow[] = [];
    const hasTypes = this.hasTypes();
    let bytes = 0;
    for (const row of found as Iterable<unknown> as Iterable<IndexTuple>) {
      const [key, seq, doc, types] = row;
      rows.push({ seq, doc, key, types: hasTypes ? types : encodeKeyTypes([idOf(new RawDocument(doc))]) });
      bytes += doc.length;
      if (bytes >= BATCH_BYTES) break;
    }
    const last = rows.at(-1);
    const isEnd = last === undefined || (rows.length < most && bytes < BATCH_BYTES);
    return { rows, left: isEnd ? undefined : leftBehind(range, backward, last.key, last.seq) };
  }
}

type IndexTuple = readonly [key: Uint8Array, seq: number, doc: Uint8Array, types: Uint8Array | null];

function firstNumber(row: unknown): number {
  return (row as readonly [number])[0];
}

/** Whether it is a range as it was asked for: from its first key, or up to its last one. */
function isUntouched({ afterSeq, beforeSeq }: KeyRange): boolean {
  return afterSeq === undefined && beforeSeq === undefined;
}

function leftBehind({ from, to }: KeyRange, backward: boolean, key: Uint8Array, seq: number): KeyRange {
  return backward ? { from, to: key, beforeSeq: seq } : { from: key, to, afterSeq: seq };
}
