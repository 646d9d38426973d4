/**
 * The statements that sessions have done on time series since the last checkpoint. Those on documents are in SQLite from
 * the start; these get there with the checkpoint that lets the log go.
 */
import { RawDocument } from "../bson/mod.ts";
import type { DoneStatements, SessionHistory } from "../storage/mod.ts";

export class RecentStatements {
  private readonly sessions = new Map<string, SessionHistory>();

  /** Keeps copies. */
  note(done: readonly DoneStatements[]): void {
    for (const each of done) {
      const key = keyOf(each.lsid);
      const known = this.sessions.get(key);
      if (known !== undefined && known.txnNumber > each.txnNumber) continue;
      const before = known?.txnNumber === each.txnNumber ? known.done : [];
      const { result, ...statement } = each;
      const copy = result === undefined
        ? statement
        : { ...statement, result: new RawDocument(result.slice().slice()) };
      this.sessions.set(key, { txnNumber: each.txnNumber, done: [...before, copy] });
    }
  }

  of(lsid: Uint8Array): SessionHistory | undefined {
    return this.sessions.get(keyOf(lsid));
  }

  all(): readonly DoneStatements[] {
    return [...this.sessions.values()].flatMap((history) => history.done);
  }

  clear(): void {
    this.sessions.clear();
  }
}

function keyOf(lsid: Uint8Array): string {
  return String.fromCharCode(...lsid);
}
