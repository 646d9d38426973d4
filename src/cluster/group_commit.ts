/**
 * The end of a SQLite transaction in which writes were evaluated together: its entries go to the log with one write and
 * one sync, what the log holds is committed, and only then are the writes answered.
 */
import { assert } from "../base/mod.ts";
import type { DocumentStore, DoneStatements, StoreEntry } from "../storage/mod.ts";
import type { TransactionName } from "./retryable_write.ts";

/** Logs the effects of an entry, the statements that they carry out, and the client's transaction that they are. @returns the entry's index, once it is durable */
export type LogEffects = (
  effects: readonly Uint8Array[],
  done: readonly DoneStatements[],
  of: TransactionName | undefined,
) => Promise<number>;

/** Room on the disk for what is logged and not yet committed. */
export interface Reserve {
  /** @throws when there is no room for so many bytes */
  hold(bytes: number): void | Promise<void>;
  release(): void;
}

/** A write that is evaluated and not yet durable. */
export interface Unanswered {
  readonly answer: () => void;
  readonly reject: (error: unknown) => void;
}

/** The writes of an entry of the log. */
interface Written {
  readonly writes: readonly Unanswered[];
  readonly of: TransactionName | undefined;
}

/** An entry that is durable in the log and that SQLite has not committed. */
interface Uncommitted extends StoreEntry {
  readonly index: number;
}

export class GroupCommit {
  /** By the store's entries that have ended. */
  private ended: Written[] = [];
  /** Of the entry that has not. */
  private writes: Unanswered[] = [];
  private uncommitted: Uncommitted[] = [];

  constructor(
    private readonly store: DocumentStore,
    private readonly log: LogEffects,
    private readonly reserve: Reserve,
  ) {}

  /** Opens a transaction of the store. */
  begin(): void {
    this.commitLeftover();
    this.store.writer.begin();
  }

  /** A write is evaluated. */
  add(write: Unanswered): void {
    this.writes.push(write);
  }

  /** What comes from here on stands in another entry of the log. @param of the client's transaction that the entry is */
  endEntry(of?: TransactionName): void {
    if (this.store.writer.endEntry()) this.ended.push({ writes: this.writes.splice(0), of });
  }

  /** Ends the open transaction and answers all writes. */
  async commit(): Promise<void> {
    this.endEntry();
    await this.reserve.hold(COMMIT_BYTES + this.store.writer.effectBytes * COMMIT_BYTES_PER_BYTE);
    const entries = this.store.writer.seal();
    const logged = await Promise.allSettled(
      entries.map(({ effects, done }, i) => this.log(effects, done, this.ended[i]!.of)),
    );
    const durable: Uncommitted[] = [];
    let failed: PromiseRejectedResult | undefined;
    for (const [i, entry] of logged.entries()) {
      assert(entry.status === "rejected" || failed === undefined, "a log fails from some entry on");
      if (entry.status === "rejected") failed ??= entry;
      else durable.push({ ...entries[i]!, index: entry.value });
    }
    this.commitDurable(durable, failed === undefined);
    for (const { writes } of this.ended.splice(0, durable.length)) writes.forEach(({ answer }) => answer());
    if (failed !== undefined) return this.reject(failed.reason);
    for (const { answer } of this.writes.splice(0)) answer();
  }

  /** Nothing comes of what has not been answered. */
  reject(error: unknown): void {
    for (const { writes } of this.ended.splice(0)) writes.forEach(({ reject }) => reject(error));
    for (const { reject } of this.writes.splice(0)) reject(error);
  }

  /** Commits what the log holds, which may be all of the open transaction or its first entries. */
  private commitDurable(durable: readonly Uncommitted[], isAll: boolean): void {
    const last = durable.at(-1);
    if (last === undefined) return this.store.writer.rollback();
    if (!isAll) this.store.writer.rollback();
    else if (this.tryCommit(last.index)) return;
    this.uncommitted = [...durable];
    this.commitLeftover();
  }

  /** @returns false where the disk is full: the room that was kept for that is free now */
  private tryCommit(index: number): boolean {
    try {
      this.store.writer.commit(index);
      return true;
    } catch {
      this.reserve.release();
      return false;
    }
  }

  /** Brings SQLite to where the log is, after a commit that failed. */
  commitLeftover(): void {
    for (let next = this.uncommitted[0]; next !== undefined; next = this.uncommitted[0]) {
      this.store.writer.replay(next.index, joined(next.effects), next.done);
      this.uncommitted.shift();
    }
  }
}

/** What a commit writes: its effects, the pages around them, those of the index; a guess on the safe side. */
const COMMIT_BYTES = 1024 * 1024;
const COMMIT_BYTES_PER_BYTE = 4;

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  assert(at === bytes.length, "all parts are joined");
  return bytes;
}
