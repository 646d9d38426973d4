/**
 * Logical sessions: named by clients, kept while they are used, ended by clients or after half an hour. A session owns
 * cursors and remembers its last retryable write.
 */
import { CommandError, MAX_SESSIONS, SESSION_TIMEOUT_MINUTES } from "../base/mod.ts";
import { Binary, type BsonWriter } from "../bson/mod.ts";
import type { Clock } from "../io/mod.ts";

const TIMEOUT_MS = SESSION_TIMEOUT_MINUTES * 60_000;
const SWEEP_MS = 60_000;

/** The last retryable write of a session: sent again, it gets the same answer. */
export interface RetryableWrite {
  readonly number: bigint;
  /** Appends the fields of the answer, once the write is done. */
  readonly answer: Promise<(reply: BsonWriter) => void | Promise<void>>;
}

export interface Session {
  /** The uuid as text. */
  readonly id: string;
  lastUsedMs: number;
  retryableWrite: RetryableWrite | undefined;
}

export class SessionTable {
  /** In the order of last use: the first is the oldest. */
  private readonly sessions = new Map<string, Session>();
  private cancelSweep: (() => void) | undefined;

  constructor(private readonly clock: Clock, private readonly onEnd: (id: string) => void) {}

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
    const session = known ?? { id, lastUsedMs: nowMs, retryableWrite: undefined };
    session.lastUsedMs = nowMs;
    this.sessions.delete(id);
    this.sessions.set(id, session);
    this.cancelSweep ??= this.clock.after(SWEEP_MS, () => this.sweep());
    return session;
  }

  all(): readonly Session[] {
    return [...this.sessions.values()];
  }

  end(id: string): void {
    if (this.sessions.delete(id)) this.onEnd(id);
  }

  endAll(): void {
    for (const id of [...this.sessions.keys()]) this.end(id);
  }

  close(): void {
    this.cancelSweep?.();
    this.cancelSweep = undefined;
    this.sessions.clear();
  }

  private sweep(): void {
    this.cancelSweep = undefined;
    const oldestMs = this.clock.monotonicMs() - TIMEOUT_MS;
    for (const session of this.sessions.values()) {
      if (session.lastUsedMs > oldestMs) break;
      this.end(session.id);
    }
    if (this.sessions.size > 0) this.cancelSweep = this.clock.after(SWEEP_MS, () => this.sweep());
  }
}

/** A session's uuid as text, 8-4-4-4-12. @throws CommandError InvalidUUID */
export function sessionIdText(id: Binary): string {
  const bytes = id.value();
  if (id.sub_type !== Binary.SUBTYPE_UUID || bytes.length !== 16) {
    throw new CommandError("InvalidUUID", "uuid must be a 16-byte binary field with UUID (4) subtype");
  }
  let text = "";
  for (let i = 0; i < 16; i++) {
    if (i === 4 || i === 6 || i === 8 || i === 10) text += "-";
    text += HEX[bytes[i]!];
  }
  return text;
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));
