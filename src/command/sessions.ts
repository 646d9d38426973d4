/**
 * Logical sessions: named by clients, kept while they are used, ended by clients or after half an hour. A session owns
 * cursors, and runs its writes with a transaction number one after another.
 */
import { CommandError, MAX_SESSIONS, SESSION_TIMEOUT_MINUTES } from "../base/mod.ts";
import type { Transaction } from "../cluster/mod.ts";
import { Binary } from "../bson/mod.ts";
import { Lifetimes } from "./lifetimes.ts";
import { abort, type SessionTransaction } from "./session_transaction.ts";
import type { Clock } from "../io/mod.ts";

const TIMEOUT_MS = SESSION_TIMEOUT_MINUTES * 60_000;
const SWEEP_MS = 60_000;
/** The order of last use is kept about so exactly. */
const ORDER_MS = 1000;

export class Session {
  /** The uuid. */
  readonly bytes: Uint8Array;
  /** The highest number of a write or a transaction that was begun here since the server runs. */
  txnNumber: bigint | undefined;
  /** The latest transaction that was begun here since the server runs. */
  transaction: SessionTransaction | undefined;
  /** When it took its place in the order of last use: `ORDER_MS` before that at most. */
  placedMs = -Infinity;
  private turn: Promise<void> = Promise.resolve();

  /** @param id the uuid as text */
  constructor(readonly id: string, public lastUsedMs: number) {
    const hex = id.replaceAll("-", "");
    this.bytes = Uint8Array.from({ length: 16 }, (_, i) => parseInt(hex.slice(2 * i, 2 * i + 2), 16));
  }

  /** Nothing remains of the transaction that is open. */
  endTransaction(): void {
    if (this.transaction?.handle.isEnded === false) abort(this.transaction);
  }

  /** Ends the transaction that a statement with errors ran in, if it ran in one. */
  failTransaction(transaction: Transaction | undefined): void {
    if (transaction !== undefined) this.endTransaction();
  }

  /** Waits for the session's commands with a number that came before. @returns what lets the next one run */
  async checkOut(): Promise<() => void> {
    const before = this.turn;
    let release = () => {};
    this.turn = new Promise((resolve) => release = resolve);
    await before;
    return release;
  }
}

export class SessionTable {
  /** In the order of last use, about: the first is the oldest. */
  private readonly sessions = new Map<string, Session>();
  private cancelSweep: (() => void) | undefined;
  /** Those of transactions. */
  readonly lifetimes: Lifetimes;

  constructor(private readonly clock: Clock, private readonly onEnd: (id: string) => void) {
    this.lifetimes = new Lifetimes(clock);
  }

  get size(): number {
    return this.sessions.size;
  }

  /** The session, made where it is new, marked as used now. @throws CommandError when there are too many */
  use(id: string): Session {
    const nowMs = this.clock.monotonicMs();
    const known = this.sessions.get(id);
    if (known === undefined && this.sessions.size >= MAX_SESSIONS) {
      throw new CommandError(
        "TooManyLogicalSessions",
        "Unable to add session into the cache because the number of active sessions is too high",
      );
    }
    const session = known ?? new Session(id, nowMs);
    session.lastUsedMs = nowMs;
    if (nowMs - session.placedMs > ORDER_MS) {
      session.placedMs = nowMs;
      this.sessions.delete(id);
      this.sessions.set(id, session);
    }
    this.cancelSweep ??= this.clock.after(SWEEP_MS, () => this.sweep());
    return session;
  }

  all(): readonly Session[] {
    return [...this.sessions.values()];
  }

  end(id: string): void {
    this.sessions.get(id)?.endTransaction();
    if (this.sessions.delete(id)) this.onEnd(id);
  }

  endAll(): void {
    for (const id of [...this.sessions.keys()]) this.end(id);
  }

  close(): void {
    this.cancelSweep?.();
    this.cancelSweep = undefined;
    for (const session of this.sessions.values()) session.endTransaction();
    this.lifetimes.close();
    this.sessions.clear();
  }

  private sweep(): void {
    this.cancelSweep = undefined;
    const oldestMs = this.clock.monotonicMs() - TIMEOUT_MS;
    for (const session of this.sessions.values()) {
      if (session.placedMs > oldestMs) break;
      if (session.lastUsedMs <= oldestMs) this.end(session.id);
    }
    if (this.sessions.size > 0) this.cancelSweep = this.clock.after(SWEEP_MS, () => this.sweep());
  }
}

/** A session's uuid as text, 8-4-4-4-12. @throws CommandError InvalidUUID */
export function sessionIdText(id: Binary): string {
  const bytes = id.value();
  if (id.sub_type !== Binary.SUBTYPE_UUID || bytes.length !== UUID_BYTES) {
    throw new CommandError("InvalidUUID", "uuid must be a 16-byte binary field with UUID (4) subtype");
  }
  return uuidText(bytes, 0);
}

/** The uuid that stands at a place, as text. */
export function uuidText(bytes: Uint8Array, at: number): string {
  const last = bytes[at + UUID_BYTES - 1]!;
  const known = KNOWN[last];
  if (known !== undefined && isAt(known.uuid, bytes, at)) return known.text;
  let text = "";
  for (let i = 0; i < UUID_BYTES; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text += "-";
    text += HEX[bytes[at + i]!];
  }
  KNOWN[last] = { uuid: bytes.slice(at, at + UUID_BYTES), text };
  return text;
}

/** Those whose text was made last, by their last byte: few sessions ask for most. */
const KNOWN: ({ readonly uuid: Uint8Array; readonly text: string } | undefined)[] = [];
const UUID_BYTES = 16;

function isAt(uuid: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < UUID_BYTES; i++) if (uuid[i] !== bytes[at + i]) return false;
  return true;
}

/** A session as MongoDB's messages show it: its id, and the digest of the user, of whom there is none. */
export function shownSession(id: string): string {
  return `${id} - 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU= -  - `;
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));
