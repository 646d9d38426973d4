/**
 * The statements that sessions have done, in SQLite, changed in the transactions that do them:
 *
 *     statements  lsid BLOB | first INTEGER, both the primary key | txn | count | seconds | result BLOB (BSON) or NULL
 *
 * Only those of a session's latest write count. Rows go when the session has not written for as long as sessions live.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { RawDocument } from "../../bson/mod.ts";
import type { DoneStatements, SessionHistory } from "./done_statements.ts";
import { guarded, together } from "./sqlite.ts";

export class StatementTable {
  private readonly deleteOlder: StatementSync;
  private readonly insertRow: StatementSync;
  private readonly deleteExpired: StatementSync;
  private readonly selectRows: StatementSync;

  /** @param path for the words of errors */
  constructor(
    private readonly path: string,
    private readonly writing: DatabaseSync,
    reading: DatabaseSync,
  ) {
    this.deleteOlder = writing.prepare("DELETE FROM statements WHERE lsid = ? AND txn < ?");
    this.insertRow = writing.prepare(
      "INSERT INTO statements VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (lsid, first) DO UPDATE SET txn = excluded.txn, " +
        "count = excluded.count, seconds = excluded.seconds, result = excluded.result WHERE excluded.txn >= txn",
    );
    this.deleteExpired = writing.prepare("DELETE FROM statements WHERE seconds < ?");
    this.selectRows = reading.prepare(
      "SELECT first, txn, count, seconds, result FROM statements WHERE lsid = ?",
    );
    this.selectRows.setReadBigInts(true);
  }

  put({ lsid, txnNumber, first, count, seconds, result }: DoneStatements): void {
    this.deleteOlder.run(lsid, txnNumber);
    this.insertRow.run(lsid, first, txnNumber, count, seconds, result?.slice() ?? null);
  }

  /** What is committed of a session. */
  find(lsid: Uint8Array): SessionHistory | undefined {
    const rows = guarded(this.path, () => this.selectRows.all(lsid));
    const done = rows.map((row): DoneStatements => {
      const result = row["result"] as Uint8Array | null;
      return {
        lsid,
        txnNumber: row["txn"] as bigint,
        first: Number(row["first"]),
        count: Number(row["count"]),
        seconds: Number(row["seconds"]),
        ...(result === null ? {} : { result: new RawDocument(result) }),
      };
    });
    if (done.length === 0) return undefined;
    const txnNumber = done.reduce((latest, { txnNumber }) => txnNumber > latest ? txnNumber : latest, -1n);
    return { txnNumber, done: done.filter((statement) => statement.txnNumber === txnNumber) };
  }

  /**
   * Keeps statements that were done elsewhere, and forgets old ones; durable with the next checkpoint.
   *
   * @param beforeSeconds since 1970: sessions that have not written since then are forgotten
   */
  save(done: readonly DoneStatements[], beforeSeconds: number): void {
    guarded(this.path, () =>
      together(this.writing, () => {
        for (const each of done) this.put(each);
        this.deleteExpired.run(beforeSeconds);
      }));
  }
}
