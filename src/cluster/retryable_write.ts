/** Retryable writes of sessions: what they are made of, and which of their statements an entry of the log carries out. */
import { BuiltDocument, Document, encodeDocument, Int32, RawDocument } from "../bson/mod.ts";
import type { DoneStatements, SessionHistory } from "../storage/mod.ts";
import type { RetryableWrite, StatementResult } from "./write_statement.ts";

/** Inserts that were done, as runs of ids that follow one another. */
export class DoneInserts {
  private first = 0;
  private count = 0;

  constructor(
    private readonly write: RetryableWrite,
    private readonly note: (done: DoneStatements) => void,
  ) {}

  /** The document at that place is inserted. */
  add(place: number): void {
    const id = this.write.stmtIds[place]!;
    if (this.count > 0 && id !== this.first + this.count) this.flush();
    if (this.count === 0) this.first = id;
    this.count++;
  }

  /** Notes what was added since the last time. */
  flush(): void {
    if (this.count === 0) return;
    const { lsid, txnNumber, seconds } = this.write;
    this.note({ lsid, txnNumber, seconds, first: this.first, count: this.count });
    this.count = 0;
  }
}

/** The statement at a place, done; undefined where it changed nothing, and may be done again. */
export function doneStatement(
  { lsid, txnNumber, seconds, stmtIds }: RetryableWrite,
  place: number,
  result: StatementResult,
): DoneStatements | undefined {
  if (result.error !== undefined || (result.modified === 0 && result.upsertedId === undefined)) {
    return undefined;
  }
  return { lsid, txnNumber, seconds, first: stmtIds[place]!, count: 1, result: resultDocument(result) };
}

function resultDocument({ matched, modified, upsertedId, document }: StatementResult): RawDocument {
  return new RawDocument(encodeDocument(BuiltDocument.of({
    matched: Int32.of(matched),
    modified: Int32.of(modified),
    upsertedId,
    document,
  })));
}

/** Names a client's transaction: a session, which is a UUID's 16 bytes, and a number. */
export interface TransactionName {
  readonly lsid: Uint8Array;
  readonly txnNumber: bigint;
}

/** Stands for a transaction among a session's statements: that it was committed. */
const COMMITTED = -1;

/** A transaction, committed. */
export function committed({ lsid, txnNumber }: TransactionName, seconds: number): DoneStatements {
  return { lsid, txnNumber, seconds, first: COMMITTED, count: 1 };
}

/** Whether the latest number of a session is that of a transaction, which was committed. */
export function endsWithCommit({ done }: SessionHistory): boolean {
  return done.some(({ first }) => first === COMMITTED);
}

/** What came of a statement that was done before; of an insert, that there is a document. */
export function resultOf({ result }: DoneStatements): StatementResult {
  if (result === undefined) return { matched: 1, modified: 0 };
  const document = result.get("document");
  return {
    matched: (result.get("matched") as Int32).value,
    modified: (result.get("modified") as Int32).value,
    ...(result.has("upsertedId") ? { upsertedId: result.get("upsertedId") } : {}),
    ...(document instanceof Document ? { document } : {}),
  };
}
