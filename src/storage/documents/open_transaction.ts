/** The writes of a store that are not committed yet. */
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
  /** What it did goes to the log: nothing may be added. */
  sealed: boolean;
}

export function newTransaction(entries = new EntryBuffer()): OpenTransaction {
  return { before: new Map(), created: new Set(), redo: [], entries, sealed: false };
}
