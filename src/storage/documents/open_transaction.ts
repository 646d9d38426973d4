/** The writes of a store that are not committed yet. */
import { encodeIndexKey } from "../../bson/mod.ts";
import { idOf } from "./apply_effect.ts";
import { type StoredRow, withOwnMemory } from "./collection_table.ts";
import { keyText, type ReplacedDocument } from "./document_versions.ts";
import type { Effect } from "./effect.ts";
import { EntryBuffer } from "./entry_buffer.ts";
import type { Totals } from "./totals.ts";

/** Writes that are committed together. */
export interface OpenTransaction {
  /** The collections written to, as they were before. */
  readonly before: Map<number, Totals>;
  /** Collections made in it, which the reading connection cannot see. */
  readonly created: Set<number>;
  /** What was made or dropped meanwhile, whether the write succeeds or not. */
  readonly redo: (() => void)[];
  /** What it did. */
  readonly entries: EntryBuffer;
  /** Documents as they were before its effects, in their order; undefined where nobody looked at that time. */
  replaced: ReplacedDocument[] | undefined;
  /** What it did goes to the log: nothing may be added. */
  sealed: boolean;
}

/** @param isWatched whether anyone may want to see what was there: else it costs memory for nothing */
export function noteReplaced(
  open: OpenTransaction,
  isWatched: boolean,
  { collectionId, document }: Effect,
  old: StoredRow | undefined,
): void {
  if (!isWatched) open.replaced = undefined;
  if (open.replaced === undefined) return;
  const key = keyText(encodeIndexKey(idOf(document)));
  open.replaced.push({ collectionId, key, version: old === undefined ? null : withOwnMemory(old) });
}

export function newTransaction(entries = new EntryBuffer()): OpenTransaction {
  return { before: new Map(), created: new Set(), redo: [], entries, replaced: [], sealed: false };
}
