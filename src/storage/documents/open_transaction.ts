/** The writes of a store that are not committed yet. */
import type { ReplacedDocument } from "./document_versions.ts";
import type { Effect } from "./effect.ts";
import { EntryBuffer } from "./entry_buffer.ts";
import type { Totals } from "./totals.ts";
import type { StoredRow } from "./stored_row.ts";

/** Writes that are committed together. */
export interface OpenTransaction {
  /** The collections written to, as they were before. */
  readonly before: Map<number, Totals>;
  /** By collection, the rows that it may have changed. */
  readonly changed: Map<number, ChangedRows>;
  /** Collections made in it, which the reading connection cannot see. */
  readonly created: Set<number>;
  /** What was made or dropped meanwhile, whether the write succeeds or not. */
  readonly redo: (() => void)[];
  /** What it did. */
  readonly entries: EntryBuffer;
  /** Documents as they were before its effects, in their order; undefined where these were too many, and nobody looked. */
  replaced: ReplacedDocument[] | undefined;
  /** What it did goes to the log: nothing may be added. */
  sealed: boolean;
}

/** Rows that are not what is committed. */
export interface ChangedRows {
  /** The places of those that were inserted or replaced. */
  readonly seqs: Set<number>;
  /** Whether any are gone. */
  hasDeleted: boolean;
}

/** An effect is about to change the row at a place. */
export function noteChanged(open: OpenTransaction, { collectionId, kind }: Effect, seq: number): void {
  let rows = open.changed.get(collectionId);
  if (rows === undefined) open.changed.set(collectionId, rows = { seqs: new Set(), hasDeleted: false });
  if (kind === "delete") rows.hasDeleted = true;
  rows.seqs.add(seq);
}

/** So many are kept for who may begin to look before the commit, and no large ones. */
const MAX_UNWATCHED = 64;
const MAX_UNWATCHED_BYTES = 16 * 1024;

/** @param isWatched whether anyone may want to see what was there: else much of it costs memory for nothing */
export function noteReplaced(
  open: OpenTransaction,
  isWatched: boolean,
  { collectionId, document }: Effect,
  old: StoredRow | undefined,
): void {
  if (open.replaced === undefined) return;
  const isMuch = open.replaced.length >= MAX_UNWATCHED || (old?.doc.length ?? 0) > MAX_UNWATCHED_BYTES;
  if (isMuch && !isWatched) open.replaced = undefined;
  else open.replaced.push({ collectionId, document, old });
}

export function newTransaction(entries = new EntryBuffer()): OpenTransaction {
  return {
    before: new Map(),
    changed: new Map(),
    created: new Set(),
    redo: [],
    entries,
    replaced: [],
    sealed: false,
  };
}
