/** The write of a store that is not committed yet. */
import type { DoneStatements } from "./done_statements.ts";
import { EffectBuffer } from "./effect.ts";

/** What is known of a collection without asking SQLite; replaced, not changed, so that a rollback can go back. */
export interface Totals {
  readonly count: number;
  readonly dataBytes: number;
  readonly nextSeq: number;
}

/** A write that is not committed yet. */
export interface OpenTransaction {
  /** The collections written to, as they were before. */
  readonly before: Map<number, Totals>;
  /** Collections made in it, which the reading connection cannot see. */
  readonly created: Set<number>;
  /** What was made or dropped meanwhile, whether the write succeeds or not. */
  readonly redo: (() => void)[];
  readonly effects: EffectBuffer;
  /** The statements of sessions that it carries out. */
  readonly done: DoneStatements[];
  /** What it did goes to the log: nothing may be added. */
  sealed: boolean;
}

export function newTransaction(): OpenTransaction {
  return {
    before: new Map(),
    created: new Set(),
    redo: [],
    effects: new EffectBuffer(),
    done: [],
    sealed: false,
  };
}
