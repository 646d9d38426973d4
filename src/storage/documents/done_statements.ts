/**
 * Which statements of clients' sessions were carried out, so that one that is sent again is answered, not done again. An
 * entry of the log says it of itself (docs/format/log.md, `done`), as BSON documents one after another:
 *
 *     {lsid: UUID, txnNumber: int64, first: int32, count: int32, seconds: int64, result?: {…}}
 *
 * A statement that changed nothing is not in there: it may as well be done again.
 */
import { assert } from "../../base/mod.ts";
import { Binary, BsonWriter, Document, Int32, RawDocument } from "../../bson/mod.ts";

export interface DoneStatements {
  /** The session: a UUID's 16 bytes. */
  readonly lsid: Uint8Array;
  readonly txnNumber: bigint;
  /** The id of the first statement; those behind it have the next numbers. */
  readonly first: number;
  readonly count: number;
  /** When, in seconds since 1970. */
  readonly seconds: number;
  /** What came of a statement that is no insert; then it stands alone. */
  readonly result?: RawDocument | undefined;
}

/** What is known of the latest retryable write of a session. */
export interface SessionHistory {
  readonly txnNumber: bigint;
  readonly done: readonly DoneStatements[];
}

export function encodeDone(done: readonly DoneStatements[]): Uint8Array {
  const writer = new BsonWriter();
  for (const { lsid, txnNumber, first, count, seconds, result } of done) {
    const document = writer.beginDocument();
    writer.value("lsid", new Binary(lsid, Binary.SUBTYPE_UUID));
    writer.value("txnNumber", txnNumber);
    writer.value("first", Int32.of(first));
    writer.value("count", Int32.of(count));
    writer.value("seconds", BigInt(seconds));
    writer.value("result", result);
    writer.endDocument(document);
  }
  return writer.copyFrom(0);
}

/** Reads what `encodeDone` made; the results are views of the bytes. */
export function decodeDone(bytes: Uint8Array): DoneStatements[] {
  const done: DoneStatements[] = [];
  for (let at = 0; at < bytes.length;) {
    const document = new RawDocument(bytes, at);
    at = document.end;
    const lsid = document.get("lsid");
    const txnNumber = document.get("txnNumber");
    const seconds = document.get("seconds");
    const result = document.get("result");
    assert(
      lsid instanceof Binary && typeof txnNumber === "bigint" && typeof seconds === "bigint",
      "statements that were done name their session",
    );
    done.push({
      lsid: lsid.value().slice(),
      txnNumber,
      first: (document.get("first") as Int32).value,
      count: (document.get("count") as Int32).value,
      seconds: Number(seconds),
      ...(result instanceof Document ? { result: result as RawDocument } : {}),
    });
  }
  return done;
}

/** The later of two histories of one session; of one number, both together. */
export function laterHistory(
  a: SessionHistory | undefined,
  b: SessionHistory | undefined,
): SessionHistory | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.txnNumber !== b.txnNumber) return a.txnNumber > b.txnNumber ? a : b;
  return { txnNumber: a.txnNumber, done: [...a.done, ...b.done] };
}
