/** What a client writes beside inserts: updates and deletes, alike for every kind of collection. */
import type { CommandError } from "../base/mod.ts";
import type { Collation, Document, Value } from "../bson/mod.ts";
import type { CommandContext } from "../query/mod.ts";

interface Statement {
  readonly filter: Document;
  /** How texts compare; undefined for by their bytes. */
  readonly collation?: Collation | undefined;
  /** Whether all documents that match are meant, not just the first. */
  readonly multi?: boolean;
  /** Which one is the first; not with `multi`. */
  readonly sort?: Document | undefined;
  /** The index that finds the documents, by its name or its key. */
  readonly hint?: Value;
  /** That the one document is given back: as it was, or as it is. Not with `multi`. */
  readonly returning?: {
    readonly which: "before" | "after";
    readonly projection?: Document | undefined;
  } | undefined;
}

export interface UpdateStatement extends Statement {
  readonly kind: "update";
  /** Modifiers, a document that replaces, or a pipeline. */
  readonly update: Value;
  readonly upsert?: boolean;
  readonly arrayFilters?: readonly Document[] | undefined;
  /** Variables of a pipeline. */
  readonly constants?: Document | undefined;
}

export interface DeleteStatement extends Statement {
  readonly kind: "delete";
  /** With `multi`, how many documents go at most; undefined for all. */
  readonly limit?: number;
}

export type WriteStatement = UpdateStatement | DeleteStatement;

/** The write of a session that documents or statements belong to. */
export interface RetryableWrite {
  /** The session: a UUID's 16 bytes. */
  readonly lsid: Uint8Array;
  readonly txnNumber: bigint;
  /** When, in seconds since 1970. */
  readonly seconds: number;
  /** The ids of the documents or statements, by their places. */
  readonly stmtIds: readonly number[];
}

export interface WriteOptions {
  /** Whether the first error ends it all. */
  readonly ordered: boolean;
  /** Holds the variables of the command's `let`; its checkpoint ends a statement that was killed. */
  readonly context: CommandContext;
  /** The write of a session that the statements belong to. */
  readonly retryable?: RetryableWrite | undefined;
}

/** What came of one statement. */
export interface StatementResult {
  /** Documents that matched; 0 when one was inserted instead. */
  readonly matched: number;
  /** Of those, the ones that changed or are gone. */
  readonly modified: number;
  /** The _id of what was inserted; undefined when nothing was. */
  readonly upsertedId?: Value;
  /** What `returning` asks for. */
  readonly document?: Document | undefined;
  /** What ended the statement. What it had done before stays, as in MongoDB. */
  readonly error?: CommandError;
}
