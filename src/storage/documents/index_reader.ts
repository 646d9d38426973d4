/** Documents by the keys of one index in SQLite, as one connection sees them. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { encodeKeyTypes, RawDocument } from "../../bson/mod.ts";
import {
  PACKED_COLUMNS,
  type PackedKeys,
  packedKeys,
  type PackedRows,
  unpackKeys,
  unpackRows,
} from "./packed_rows.ts";
import { prepareTuples } from "./sqlite.ts";
import { idOf } from "./document_id.ts";
import type { IndexRow, KeyRow, StoredRow } from "./stored_row.ts";

/** Keys from `from` on, below `to`; where a batch ended, from or up to one of several rows under the key. */
export interface KeyRange {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  /** Forward: rows under `from` up to this one were read. */
  readonly afterSeq?: number;
  /** Backward: rows under `to` from this one on were read. */
  readonly beforeSeq?: number;
  /** Set where the keys of it are those whose first field is `from`. */
  readonly isPoint?: boolean;
}

export interface IndexBatch<Row extends { readonly seq: number } = StoredRow> {
  readonly rows: readonly Row[];
  /** What is still to be read; undefined for nothing. */
  readonly left: KeyRange | undefined;
  /** Set where others should not be held beside them. */
  readonly isLarge?: boolean;
}

/** Bytes of documents read at once, beyond the first one. */
const BATCH_BYTES = 256 * 1024;

/** Of documents of this size a few are enough. */
const LARGE_BYTES = 16 * 1024;

/** Keys that one query looks up. */
export const POINTS_AT_ONCE = 64;

/** So many are taken as they are, whatever their size. */
const FEW_ROWS = 2;

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

/**
 * A query of the next rows of a range in its order, prepared for each way in which ranges begin and end. Its parameters are
 * the range's ends, a number (`?3`) and, where the range was begun, the place where the last batch ended.
 *
 * The number stands as `?3 + 0`: for a LIMIT that is a parameter SQLite prepares the statement anew each time.
 */
class RangeQuery {
  private readonly prepared: (StatementSync | undefined)[] = [];

  /** @param query by the condition of the range and the direction of its order */
  constructor(
    private readonly database: DatabaseSync,
    private readonly query: (condition: string, direction: string) => string,
  ) {}

  get(range: KeyRange, backward: boolean, number: number): unknown {
    const seq = backward ? range.beforeSeq : range.afterSeq;
    const statement = this.statement(backward, seq);
    return seq === undefined
      ? statement.get(range.from, range.to, number)
      : statement.get(range.from, range.to, number, seq);
  }

  /** All rows, which for a few takes half of the time of one by one. */
  rows(range: KeyRange, backward: boolean, number: number): Iterable<unknown> {
    const seq = backward ? range.beforeSeq : range.afterSeq;
    const statement = this.statement(backward, seq);
    const parameters = [range.from, range.to, number, ...(seq === undefined ? [] : [seq])];
    return number <= FEW_ROWS ? statement.all(...parameters) : statement.iterate(...parameters);
  }

  private statement(backward: boolean, seq: number | undefined): StatementSync {
    const way = (backward ? 1 : 0) + (seq === undefined ? 0 : 2);
    return this.prepared[way] ??= prepareTuples(
      this.database,
      this.query(seq === undefined ? WHOLE : backward ? BEFORE : BEHIND, backward ? "DESC" : "ASC"),
    );
  }
}

/** Comparing keys alone costs half of comparing keys and places. */
const WHOLE = "i.key >= ?1 AND i.key < ?2";
const BEHIND = "(i.key, i.seq) > (?1, ?4) AND i.key < ?2";
const BEFORE = "(i.key, i.seq) < (?2, ?4) AND i.key >= ?1";

export class IndexReader {
  private readonly rowsWithKeys: RangeQuery;
  private readonly place: RangeQuery;
  private readonly packedRows: RangeQuery;
  private readonly packedKeys: RangeQuery;
  /** In order, and backward. */
  private readonly packedPoints: (StatementSync | undefined)[] = [];
  private readonly keysBetween: StatementSync;
  private readonly documentsBetween: StatementSync;

  /**
   * @param columns `indexKeys` or `idKeys` of the collection
   * @param hasTypes whether the types that stand beside keys, or null where there are none, are theirs
   */
  constructor(
    private readonly database: DatabaseSync,
    private readonly id: number,
    private readonly columns: KeyColumns,
    private readonly hasTypes: () => boolean = () => true,
  ) {
    const keys = columns.table;
    // CROSS JOIN: the index leads.
    const joined = `CROSS JOIN c${id} c ON c.seq = i.seq`;
    const inOrder = (condition: string, direction: string) =>
      `WHERE ${condition} ORDER BY i.key ${direction}, i.seq ${direction}`;
    const query = (text: (order: string) => string) =>
      new RangeQuery(database, (condition, direction) => text(inOrder(condition, direction)));
    this.rowsWithKeys = query((order) =>
      `SELECT i.key, c.seq, c.doc, ${columns.types} FROM ${keys} ${joined} ${order} LIMIT ?3 + 0`
    );
    this.place = query((order) => `SELECT i.key, i.seq FROM ${keys} ${order} LIMIT 1 OFFSET ?3 + 0`);
    // With a limit it is no part of the query around it, which takes its rows in their order.
    this.packedRows = query((order) =>
      `SELECT ${PACKED_COLUMNS} FROM (SELECT i.seq AS seq FROM ${keys} ${order} LIMIT ?3 + 0) i ${joined}`
    );
    this.packedKeys = query((order) =>
      `SELECT ${packedKeys("i.types")} FROM ` +
      `(SELECT i.key AS key, i.seq AS seq, ${columns.types} AS types FROM ${keys} ${order} LIMIT ?3 + 0) i`
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

  /** The next rows of a range; they share memory. */
  read(range: KeyRange, backward: boolean, maxRows: number): IndexBatch {
    if (maxRows <= FEW_ROWS) return this.readWithKeys(range, backward, maxRows);
    const rows = unpackRows(this.packedRows.get(range, backward, maxRows) as PackedRows);
    if (rows === undefined) return this.readWithKeys(range, backward, maxRows);
    return { rows, left: this.leftOf(range, backward, rows.length, maxRows) };
  }

  /**
   * The rows under whole keys, `POINTS_AT_ONCE` at most, in their order; they share memory. Undefined where one is too
   * large for that.
   */
  readPoints(keys: readonly Uint8Array[], backward: boolean): readonly StoredRow[] | undefined {
    const place = Number(backward);
    const statement = this.packedPoints[place] ??= prepareTuples(this.database, this.pointsQuery(backward));
    const last = keys.at(-1)!;
    const all = Array.from({ length: POINTS_AT_ONCE }, (_, i) => keys[i] ?? last);
    return unpackRows(statement.get(...all) as unknown as PackedRows);
  }

  private pointsQuery(backward: boolean): string {
    const direction = backward ? "DESC" : "ASC";
    const keys = Array.from({ length: POINTS_AT_ONCE }, () => "?").join();
    // With a limit it is no part of the query around it, which takes its rows in their order.
    return `SELECT ${PACKED_COLUMNS} FROM (SELECT i.seq AS seq FROM ${this.columns.table} WHERE i.key IN (${keys}) ` +
      `ORDER BY i.key ${direction}, i.seq ${direction} LIMIT -1) i CROSS JOIN c${this.id} c ON c.seq = i.seq`;
  }

  /** What is left of a range of which so many rows were read. */
  private leftOf(range: KeyRange, backward: boolean, read: number, maxRows: number): KeyRange | undefined {
    if (read < maxRows) return undefined;
    const [key, seq] = this.place.get(range, backward, read - 1) as readonly [Uint8Array, number];
    return leftBehind(range, backward, key, seq);
  }

  /** How many keys a range has, in parts; of a document with several keys, only one counts. */
  *count(range: KeyRange, repeats: boolean): Generator<number, void, undefined> {
    const { to } = range;
    if (repeats) return yield firstNumber(this.documentsBetween.get(range.from, to));
    for (let left: KeyRange = range;;) {
      const last = this.place.get(left, false, KEYS_COUNTED - 1) as readonly [Uint8Array, number] | undefined;
      if (last === undefined) {
        return yield firstNumber(this.keysBetween.get(left.from, left.afterSeq ?? 0, to));
      }
      yield KEYS_COUNTED;
      left = leftBehind(range, false, ...last);
    }
  }

  /** As `read`, without the documents where it can be; keys share memory. */
  readKeys(range: KeyRange, backward: boolean, maxRows: number): IndexBatch<KeyRow> {
    if (!this.hasTypes()) {
      return this.readWithKeys(range, backward, maxRows);
    }
    const rows = unpackKeys(this.packedKeys.get(range, backward, maxRows) as PackedKeys);
    return { rows, left: this.leftOf(range, backward, rows.length, maxRows) };
  }

  /** As `read`; each row has memory of its own. */
  readWithKeys(range: KeyRange, backward: boolean, maxRows: number): IndexBatch<IndexRow> {
    const found = this.rowsWithKeys.rows(range, backward, maxRows) as Iterable<IndexTuple>;
    const rows: IndexRow[] = [];
    const hasTypes = this.hasTypes();
    let bytes = 0;
    for (const [key, seq, doc, types] of found) {
      rows.push({ seq, doc, key, types: hasTypes ? types : encodeKeyTypes([idOf(new RawDocument(doc))]) });
      bytes += doc.length;
      if (bytes >= BATCH_BYTES) break;
    }
    const last = rows.at(-1);
    const isEnd = last === undefined || (rows.length < maxRows && bytes < BATCH_BYTES);
    return {
      rows,
      left: isEnd ? undefined : leftBehind(range, backward, last.key, last.seq),
      isLarge: bytes >= LARGE_BYTES,
    };
  }
}

type IndexTuple = readonly [key: Uint8Array, seq: number, doc: Uint8Array, types: Uint8Array | null];

function firstNumber(row: unknown): number {
  return (row as readonly [number])[0];
}

function leftBehind({ from, to }: KeyRange, backward: boolean, key: Uint8Array, seq: number): KeyRange {
  return backward ? { from, to: key, beforeSeq: seq } : { from: key, to, afterSeq: seq };
}
