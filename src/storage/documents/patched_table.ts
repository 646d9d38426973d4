/**
 * A collection of which some documents are other ones than in SQLite: those that changed since a snapshot, and those that a
 * transaction has written. Reads go batch by batch to the table below; a batch covers a stretch of its order, in which
 * documents that are patched are left out, and their patches that lie in that stretch put in. So each document is met
 * once, whatever is committed between two batches.
 */
import { compareBytes, encodeIndexKey, RawDocument } from "../../bson/mod.ts";
import type { RowIndex, RowTable } from "./collection_scan.ts";
import { type KeyText, keyText, type Version } from "./document_versions.ts";
import { type DocumentKeys, type IndexDefinition, keysOf } from "./index_definition.ts";
import type { IndexBatch, KeyRange } from "./index_reader.ts";
import { idOf } from "./document_id.ts";
import type { IndexRow, KeyRow, StoredRow } from "./stored_row.ts";

/** Which documents are other ones. */
export interface Patches {
  readonly isEmpty: boolean;
  /** The document under the key, null for none; undefined where it is the one in the table. */
  get(key: KeyText): Version | undefined;
  /** Visits the documents that there are in the place of others. */
  forEach(visit: (row: StoredRow) => void): void;
}

export class PatchedTable implements RowTable {
  /** @param table undefined for a collection that is not there yet */
  constructor(private readonly table: RowTable | undefined, private readonly patches: Patches) {}

  batchAfter(seq: number): readonly StoredRow[] {
    for (let from = seq;;) {
      const rows = this.table?.batchAfter(from) ?? [];
      const to = rows.at(-1)?.seq ?? Infinity;
      const batch = [...unpatched(rows, this.patches), ...this.rowsBetween(from, to)];
      if (batch.length > 0 || rows.length === 0) return batch.sort((a, b) => a.seq - b.seq);
      from = to;
    }
  }

  batchBefore(seq: number): readonly StoredRow[] {
    for (let from = seq;;) {
      const rows = this.table?.batchBefore(from) ?? [];
      const to = rows.at(-1)?.seq ?? 0;
      const batch = [...unpatched(rows, this.patches), ...this.rowsBetween(to - 1, from - 1)];
      if (batch.length > 0 || rows.length === 0) return batch.sort((a, b) => b.seq - a.seq);
      from = to;
    }
  }

  find(key: Uint8Array): StoredRow | undefined {
    const patch = this.patches.get(keyText(key));
    return patch === undefined ? this.table?.find(key) : patch ?? undefined;
  }

  hasSeq(seq: number): boolean {
    return this.rowsBetween(seq - 1, seq).length > 0 || this.table?.hasSeq(seq) === true;
  }

  /** Those behind `from`, up to `to`. */
  private rowsBetween(from: number, to: number): StoredRow[] {
    const rows: StoredRow[] = [];
    this.patches.forEach((row) => {
      if (row.seq > from && row.seq <= to) rows.push(row);
    });
    return rows;
  }
}

export class PatchedIndex implements RowIndex {
  constructor(
    private readonly index: (Pick<RowIndex, "readWithKeys"> & Partial<RowIndex>) | undefined,
    private readonly definition: IndexDefinition,
    private readonly patches: Patches,
  ) {}

  read(range: KeyRange, backward: boolean, maxRows: number): IndexBatch {
    const stored = this.patches.isEmpty ? this.index?.read?.(range, backward, maxRows) : undefined;
    return stored ?? this.readWithKeys(range, backward, maxRows);
  }

  readWithKeys(range: KeyRange, backward: boolean, maxRows: number): IndexBatch<IndexRow> {
    for (let left = range;;) {
      const batch = this.index?.readWithKeys(left, backward, maxRows) ?? { rows: [], left: undefined };
      const rows = [...unpatched(batch.rows, this.patches), ...this.rowsIn(left, batch.left, backward)];
      if (rows.length > 0 || batch.left === undefined) {
        rows.sort((a, b) => backward ? comparePlaces(b, a) : comparePlaces(a, b));
        return { rows, left: batch.left };
      }
      left = batch.left;
    }
  }

  /** As `read`. */
  readKeys(range: KeyRange, backward: boolean, maxRows: number): IndexBatch<KeyRow> {
    const stored = this.patches.isEmpty ? this.index?.readKeys?.(range, backward, maxRows) : undefined;
    return stored ?? this.readWithKeys(range, backward, maxRows);
  }

  /** The keys of patches in a range without what is left of it. */
  private rowsIn(range: KeyRange, left: KeyRange | undefined, backward: boolean): IndexRow[] {
    const rows: IndexRow[] = [];
    this.patches.forEach(({ seq, doc }) => {
      for (const { bytes: key, types } of patchKeys(this.definition, doc).keys) {
        if (isIn(range, key, seq, backward) && (left === undefined || !isIn(left, key, seq, backward))) {
          rows.push({ seq, doc, key, types });
        }
      }
    });
    return rows;
  }
}

/** As SQLite's condition in index_reader.ts. */
function isIn(
  { from, to, afterSeq = 0, beforeSeq = 0 }: KeyRange,
  key: Uint8Array,
  seq: number,
  backward: boolean,
): boolean {
  const atFrom = compareBytes(key, from);
  const atTo = compareBytes(key, to);
  if (backward) return atFrom >= 0 && (atTo < 0 || (atTo === 0 && seq < beforeSeq));
  return atTo < 0 && (atFrom > 0 || (atFrom === 0 && seq > afterSeq));
}

function comparePlaces(a: IndexRow, b: IndexRow): number {
  return compareBytes(a.key, b.key) || a.seq - b.seq;
}

function unpatched<Row extends StoredRow>(rows: readonly Row[], patches: Patches): readonly Row[] {
  if (patches.isEmpty) return rows;
  return rows.filter(({ doc }) =>
    patches.get(keyText(encodeIndexKey(idOf(new RawDocument(doc))))) === undefined
  );
}

/** The keys of a document that is read again and again. */
export function patchKeys(definition: IndexDefinition, doc: Uint8Array): DocumentKeys {
  let known = KEYS.get(definition);
  if (known === undefined) KEYS.set(definition, known = new WeakMap());
  let keys = known.get(doc);
  if (keys === undefined) known.set(doc, keys = keysOf(definition, new RawDocument(doc)));
  return keys;
}

const KEYS = new WeakMap<IndexDefinition, WeakMap<Uint8Array, DocumentKeys>>();
