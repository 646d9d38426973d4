/**
 * Cursors: what is left of a query between batches. A cursor belongs to its namespace and, where it was opened in one, to its
 * session; it outlives its connection, as in MongoDB. Outside a session it is closed when nobody asks for ten minutes.
 */
import {
  CommandError,
  CURSOR_TIMEOUT_MS,
  FREE_BATCH_BYTES,
  MAX_BATCH_BYTES,
  MAX_CURSORS,
} from "../base/mod.ts";
import { type BsonWriter, type Document, indexHeaderBytes, type Value } from "../bson/mod.ts";
import type { Clock } from "../io/mod.ts";
import { checkLeavingSize, named, type Pipeline, type Rows } from "../query/mod.ts";
import type { Operation, QueryWork } from "./operation.ts";
import type { Tail } from "./tail.ts";

const SWEEP_MS = 60_000;
/** A batch of this size is taken for a full one. */
const LARGE_BATCH_BYTES = 1 << 20;

export interface CursorOptions {
  /** `db.collection`, as replies and getMore name it. */
  readonly namespace: string;
  readonly rows: Rows;
  /** What it was opened by; an aggregate when not given. */
  readonly command?: Pipeline["command"];
  readonly work: QueryWork | undefined;
  readonly sessionId: string | undefined;
  /** The transaction's number, where it was opened in one. */
  readonly txnNumber?: bigint | undefined;
  /** Never closed for being idle. */
  readonly noTimeout?: boolean;
  /** Time that all batches together may take; 0 for no limit. */
  readonly maxTimeMs?: number;
  /** Documents that the query can give at most, so that the last batch is known to be the last. */
  readonly limit?: number | undefined;
  /** Set for a cursor that waits for more instead of ending. */
  readonly tail?: Tail | undefined;
  /** Of the snapshot that is read. */
  readonly atClusterTime?: bigint | undefined;
}

/** One open query. */
export class Cursor {
  readonly namespace: string;
  readonly sessionId: string | undefined;
  readonly txnNumber: bigint | undefined;
  readonly noTimeout: boolean;
  lastUsedMs = 0;
  /** A command works with it now. */
  busy = false;
  killed = false;
  private currentOperation: Operation | undefined;
  private timeLeftMs: number;
  private batch: readonly Document[] = [];
  private at = 0;
  private remaining: number;
  private ended = false;
  private madeId: bigint | undefined;

  constructor(
    private readonly newId: () => bigint,
    private readonly options: CursorOptions,
    private readonly maxBatchBytes: () => number,
  ) {
    this.namespace = options.namespace;
    this.sessionId = options.sessionId;
    this.txnNumber = options.txnNumber;
    this.noTimeout = options.noTimeout ?? false;
    this.timeLeftMs = options.maxTimeMs ?? 0;
    this.remaining = options.limit ?? Infinity;
  }

  /** Most cursors are at their end before anybody asks for it. */
  get id(): bigint {
    return this.madeId ??= this.newId();
  }

  /** Of the snapshot that is read. */
  get atClusterTime(): bigint | undefined {
    return this.options.atClusterTime;
  }

  /** Set for a cursor that waits for more instead of ending. */
  get tail(): Tail | undefined {
    return this.options.tail;
  }

  /** Fields of the answer's cursor behind the batch. */
  tailFields(): Readonly<Record<string, Value>> {
    return this.options.tail?.fields(this.at >= this.batch.length) ?? {};
  }

  /** Whether there is nothing more. */
  get exhausted(): boolean {
    return this.ended;
  }

  /** Time that a getMore may take; 0 for no limit. */
  get timeLimitMs(): number {
    return this.timeLeftMs;
  }

  /** The operation that asks for a batch now: it pays, and a kill of the cursor ends it. */
  set operation(operation: Operation | undefined) {
    this.currentOperation = operation;
    if (operation !== undefined) this.options.work?.continueFor(operation);
  }

  /** Marks it for closing; what works with it stops at its next checkpoint. */
  kill(): void {
    this.killed = true;
    this.currentOperation?.kill(cursorKilled(this.id));
  }

  /** Takes the time of an operation off the cursor's budget. */
  spend(elapsedMs: number): void {
    if (this.timeLeftMs > 0) this.timeLeftMs = Math.max(1, this.timeLeftMs - elapsedMs);
  }

  /** Appends documents as elements of an array until `size` or the byte limit is reached. */
  async fill(reply: BsonWriter, size: number): Promise<void> {
    const startBytes = reply.length;
    const maxBytes = Math.min(this.maxBatchBytes(), size === Infinity ? FREE_BATCH_BYTES : Infinity);
    const { tail } = this.options;
    let isLarge = false;
    for (let count = 0; count < size;) {
      if (tail !== undefined) tail.isWaiting = count === 0;
      const document = this.batch[this.at] ?? await this.pull();
      if (document === undefined) return;
      const before = reply.length;
      const most = tail === undefined ? Math.min(size - count, this.remaining) : 1;
      const room = { index: count, count: most, endBytes: startBytes + maxBytes };
      const written = document.writeElements(this.batch, this.at, room, reply);
      if (!isLarge && reply.length - startBytes > LARGE_BATCH_BYTES) {
        // It will be a full one, most likely: room for all of it now spares copies of what is written.
        isLarge = true;
        reply.reserve(maxBytes);
      }
      if (written === 1 && tail === undefined) {
        this.checkSize(document, reply.length - before - indexHeaderBytes(count));
      }
      if (count > 0 && reply.length > room.endBytes) return reply.truncate(before);
      count += written;
      this.at += written;
      tail?.returned(document, reply.length - before - indexHeaderBytes(room.index));
      this.remaining -= written;
      if (this.remaining === 0) {
        await this.close();
        return;
      }
    }
  }

  private checkSize(document: Document, sizeBytes: number): void {
    try {
      checkLeavingSize(document, sizeBytes);
    } catch (error) {
      throw named(error, this.options.command ?? "aggregate", this.options.work?.isContinued());
    }
  }

  /** The first document of the next batch that has one; undefined at the end, or where a tail has nothing now. */
  private async pull(): Promise<Document | undefined> {
    while (this.at >= this.batch.length && !this.ended) {
      const next = await this.options.rows.next();
      this.at = 0;
      this.batch = next.done ? [] : next.value;
      if (next.done) this.ended = true;
      else if (this.options.tail !== undefined && next.value.length === 0) return undefined;
    }
    return this.batch[this.at];
  }

  /** Frees what the query holds. */
  async close(): Promise<void> {
    this.ended = true;
    this.batch = [];
    await this.options.rows.return();
  }
}

/** All open cursors. */
export class CursorTable {
  private readonly cursors = new Map<bigint, Cursor>();
  private cancelSweep: (() => void) | undefined;
  timedOut = 0;
  /** Cursors ever kept beyond their first batch. */
  opened = 0;

  /** @param maxBatchBytes of documents in one reply, now */
  constructor(private readonly clock: Clock, private readonly maxBatchBytes = () => MAX_BATCH_BYTES) {}

  get size(): number {
    return this.cursors.size;
  }

  get noTimeoutCount(): number {
    let count = 0;
    for (const cursor of this.cursors.values()) if (cursor.noTimeout) count++;
    return count;
  }

  /** A cursor that is in nobody's table yet. */
  create(options: CursorOptions): Cursor {
    return new Cursor(() => this.newId(), options, this.maxBatchBytes);
  }

  /** Keeps a cursor for getMore. @throws CommandError when there are too many */
  async keep(cursor: Cursor): Promise<void> {
    if (this.cursors.size >= MAX_CURSORS) {
      await cursor.close();
      throw new CommandError("ExceededMemoryLimit", `there are ${MAX_CURSORS} open cursors already`);
    }
    this.cursors.set(cursor.id, cursor);
    this.opened++;
    this.release(cursor);
    this.cancelSweep ??= this.clock.after(SWEEP_MS, () => this.sweep());
  }

  /**
   * Takes a cursor for a getMore.
   *
   * @throws CommandError when it does not exist, is in use, or belongs to another namespace or session
   */
  take(
    id: bigint,
    namespace: string,
    sessionId: string | undefined,
    txnNumber?: bigint,
  ): Cursor {
    const cursor = this.cursors.get(id);
    if (cursor === undefined || cursor.killed) throw cursorNotFound(id);
    if (cursor.namespace !== namespace) {
      throw new CommandError(
        "Unauthorized",
        `Requested getMore on namespace '${namespace}', but cursor belongs to a different namespace ${cursor.namespace}`,
      );
    }
    checkSession(cursor, sessionId);
    checkTransaction(cursor, txnNumber);
    if (cursor.busy) throw new CommandError("CursorInUse", `cursor id ${id} is already in use`);
    cursor.busy = true;
    return cursor;
  }

  /** Gives back a cursor after a batch: it stays, or goes when it is finished or was killed meanwhile. */
  async giveBack(cursor: Cursor): Promise<void> {
    if (cursor.exhausted || cursor.killed) await this.remove(cursor);
    else this.release(cursor);
  }

  /** Closes a cursor; one in use is closed by whoever uses it. @returns whether there was one */
  async kill(id: bigint): Promise<boolean> {
    const cursor = this.cursors.get(id);
    if (cursor === undefined || cursor.killed) return false;
    cursor.kill();
    if (!cursor.busy) await this.remove(cursor);
    return true;
  }

  killSession(sessionId: string): void {
    for (const cursor of this.cursors.values()) {
      if (cursor.sessionId === sessionId) void this.kill(cursor.id);
    }
  }

  killTransaction(sessionId: string, txnNumber: bigint): void {
    for (const cursor of this.cursors.values()) {
      if (cursor.sessionId === sessionId && cursor.txnNumber === txnNumber) void this.kill(cursor.id);
    }
  }

  async close(): Promise<void> {
    this.cancelSweep?.();
    this.cancelSweep = undefined;
    await Promise.all([...this.cursors.keys()].map((id) => this.kill(id)));
  }

  private release(cursor: Cursor): void {
    cursor.busy = false;
    cursor.lastUsedMs = this.clock.monotonicMs();
  }

  private async remove(cursor: Cursor): Promise<void> {
    this.cursors.delete(cursor.id);
    await cursor.close();
  }

  private sweep(): void {
    this.cancelSweep = undefined;
    const oldestMs = this.clock.monotonicMs() - CURSOR_TIMEOUT_MS;
    for (const cursor of this.cursors.values()) {
      const idle = !cursor.busy && !cursor.noTimeout && cursor.sessionId === undefined;
      if (!idle || cursor.lastUsedMs > oldestMs) continue;
      this.timedOut++;
      void this.kill(cursor.id);
    }
    if (this.cursors.size > 0) this.cancelSweep = this.clock.after(SWEEP_MS, () => this.sweep());
  }

  /** A random positive int64 that no open cursor has. */
  private newId(): bigint {
    for (;;) {
      const id = crypto.getRandomValues(new BigUint64Array(1))[0]! >> 1n;
      if (id !== 0n && !this.cursors.has(id)) return id;
    }
  }
}

function cursorKilled(id: bigint): CommandError {
  return new CommandError("CursorKilled", `cursor id ${id} was killed`);
}

export function cursorNotFound(id: bigint): CommandError {
  return new CommandError("CursorNotFound", `cursor id ${id} not found`);
}

function checkSession(cursor: Cursor, sessionId: string | undefined): void {
  if (cursor.sessionId === sessionId) return;
  const { id } = cursor;
  if (cursor.sessionId === undefined) {
    throw new CommandError(
      50736,
      `Cannot run getMore on cursor ${id}, which was not created in a session, in session ${sessionId}`,
    );
  }
  const created = `Cannot run getMore on cursor ${id}, which was created in session ${cursor.sessionId}`;
  if (sessionId === undefined) throw new CommandError(50737, `${created}, without an lsid`);
  throw new CommandError(50738, `${created}, in session ${sessionId}`);
}

function checkTransaction({ id, txnNumber: created }: Cursor, txnNumber: bigint | undefined): void {
  if (created === txnNumber) return;
  const which = `Cannot run getMore on cursor ${id}, which was`;
  if (created === undefined) {
    throw new CommandError(50739, `${which} not created in a transaction, in transaction ${txnNumber}`);
  }
  if (txnNumber === undefined) {
    throw new CommandError(50740, `${which} created in transaction ${created}, without a txnNumber`);
  }
  throw new CommandError(50741, `${which} created in transaction ${created}, in transaction ${txnNumber}`);
}
