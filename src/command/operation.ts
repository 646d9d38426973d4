/**
 * A running command, and what stops it: its time limit, a kill, its client's going away, the server's shutdown. Stopping is
 * cooperative: work calls `checkpoint` every few milliseconds.
 */
import { setImmediate } from "node:timers";
import { CommandError, YIELD_AFTER_MS } from "../base/mod.ts";
import type { RawDocument, Value } from "../bson/mod.ts";
import type { Clock } from "../io/mod.ts";
import { type CommandContext, newScanCounters, type PlanSummary, type ScanCounters } from "../query/mod.ts";
import type { Client } from "./client.ts";

/** What an operation does, as `$currentOp` shows it. */
export interface OperationLabel {
  /** `query`, `getmore`, `insert` or `command`. */
  readonly op: string;
  /** `db.collection`, or `db.$cmd`. */
  readonly namespace: string;
  /** The command as it came. */
  readonly body: RawDocument;
}

type Counters = Readonly<Pick<ScanCounters, "rowsRead" | "keysRead">>;

/** What a query reads. */
export interface Reading {
  readonly counters: Counters;
  /** How its rows are found, once that is known. */
  readonly plan?: (() => PlanSummary) | undefined;
}

/** What an operation has read. */
export interface Examined extends Counters {
  readonly plan: (() => PlanSummary) | undefined;
}

/** How far long work is. */
export interface Progress {
  readonly work: string;
  readonly done: number;
  readonly total: number;
}

export class Operation {
  /** As `$currentOp` shows it; undefined where nothing is known of it. */
  progress: Progress | undefined;
  private killed: CommandError | undefined;
  private hurried = false;
  /** Made for the first one: most operations wait for nothing. */
  private interruptListeners: Set<() => void> | undefined;
  private reading: Reading | undefined;
  private rowsBefore = 0;
  private keysBefore = 0;
  /** When it runs out of time, on the monotonic clock. */
  private readonly deadlineMs: number;
  readonly startedMs: number;
  /** When it started, in milliseconds since 1970: `$$NOW`. */
  readonly nowMs: number;
  /** The cluster's time then: `$$CLUSTER_TIME`. */
  clusterTime: bigint | undefined;
  /** What its queries read: a transaction's view, or a snapshot. */
  snapshot: object | undefined;

  constructor(
    readonly id: number,
    readonly client: Client,
    readonly clock: Clock,
    /** Time limit; 0 for none. */
    readonly maxTimeMs: number,
    readonly label: OperationLabel,
  ) {
    this.startedMs = clock.monotonicMs();
    this.nowMs = clock.nowMs();
    this.deadlineMs = maxTimeMs === 0 ? Infinity : this.startedMs + maxTimeMs;
  }

  /** What it reads is counted there, from now on. */
  countIn(reading: Reading): void {
    this.reading = reading;
    this.rowsBefore = reading.counters.rowsRead;
    this.keysBefore = reading.counters.keysRead;
  }

  /** What it has read so far; undefined where that is not counted. */
  get examined(): Examined | undefined {
    const { reading } = this;
    if (reading === undefined) return undefined;
    const { counters: { rowsRead, keysRead }, plan } = reading;
    return { rowsRead: rowsRead - this.rowsBefore, keysRead: keysRead - this.keysBefore, plan };
  }

  /** Makes the next check throw. */
  kill(error: CommandError): void {
    this.killed ??= error;
    this.interrupt();
  }

  /** Ends what it waits for: it answers with what there is. */
  hurry(): void {
    this.hurried = true;
    this.interrupt();
  }

  /** Whether it is not to wait for anything. */
  get isHurried(): boolean {
    return this.hurried;
  }

  /** Calls `listener` when it is killed or hurried, or its client goes; returns what takes that back. */
  onInterrupt(listener: () => void): () => void {
    const listeners = this.interruptListeners ??= new Set();
    listeners.add(listener);
    const forgetClient = this.client.onDisconnect(listener);
    return () => {
      listeners.delete(listener);
      forgetClient();
    };
  }

  private interrupt(): void {
    for (const listener of [...this.interruptListeners ?? []]) listener();
  }

  /** @throws CommandError when the operation has to stop */
  check(nowMs = this.clock.monotonicMs()): void {
    if (this.killed !== undefined) throw this.killed;
    if (this.client.disconnected) throw new CommandError("ClientDisconnect", "operation was interrupted");
    if (nowMs >= this.deadlineMs) {
      throw new CommandError("MaxTimeMSExpired", "operation exceeded time limit");
    }
  }

  elapsedMs(): number {
    return this.clock.monotonicMs() - this.startedMs;
  }
}

const DONE = Promise.resolve();

/**
 * Turns of the event loop within which sockets are looked at for certain. Tokio, which drives it, does so whenever there is
 * nothing else to do, and else every 61 turns (its `event_interval`). So many turns take 0.1 to 0.2 ms; a timer, which lets
 * the loop wait, takes one or two.
 */
const TURNS_UNTIL_SOCKETS = 64;

/** The context of one query. It outlives its command: each getMore puts its own operation in charge. */
export class QueryWork implements CommandContext {
  readonly nowMs: number;
  readonly clusterTime: bigint | undefined;
  readonly counters = newScanCounters();
  readonly snapshot: object | undefined;
  /** Of the pipeline itself: what its stages plan comes later. */
  plan: (() => PlanSummary) | undefined;
  private turnStartedMs: number;
  private continued = false;

  /**
   * @param allowDiskUse whether what does not fit in memory may go to disk
   * @param bypassValidation whether validators are not asked of what is written
   */
  constructor(
    private operation: Operation,
    readonly variables: ReadonlyMap<string, Value> = new Map(),
    readonly allowDiskUse = true,
    readonly bypassValidation = false,
  ) {
    this.nowMs = operation.nowMs;
    this.clusterTime = operation.clusterTime;
    this.snapshot = operation.snapshot;
    if (operation.client.isProfiled) this.planned = (summary) => this.plan ??= summary;
    operation.countIn(this);
    this.turnStartedMs = operation.startedMs;
  }

  /** From now on `operation` pays and can be stopped. */
  continueFor(operation: Operation): void {
    this.operation = operation;
    this.continued = true;
    operation.countIn(this);
    this.turnStartedMs = operation.startedMs;
  }

  /** Only where somebody wants to know: what leads to a plan keeps all of it from the young collections. */
  readonly planned: ((summary: () => PlanSummary) => void) | undefined;

  readonly isContinued = (): boolean => this.continued;

  readonly checkpoint = (): Promise<void> => {
    const nowMs = this.operation.clock.monotonicMs();
    this.operation.check(nowMs);
    return nowMs - this.turnStartedMs < YIELD_AFTER_MS ? DONE : this.yield();
  };

  private async yield(): Promise<void> {
    await turns(TURNS_UNTIL_SOCKETS);
    this.turnStartedMs = this.operation.clock.monotonicMs();
    this.operation.check(this.turnStartedMs);
  }
}

/** Lets the event loop turn so often. A promise for each turn would be a tenth of what a long query allocates. */
function turns(count: number): Promise<void> {
  return new Promise((resolve) => {
    let left = count;
    const turn = () => left-- === 0 ? resolve() : void setImmediate(turn);
    turn();
  });
}

/** All running commands. */
export class OperationTable {
  private readonly running = new Map<number, Operation>();
  private lastId = 0;

  constructor(private readonly clock: Clock) {}

  begin(client: Client, maxTimeMs: number, label: OperationLabel): Operation {
    const operation = new Operation(++this.lastId, client, this.clock, maxTimeMs, label);
    this.running.set(operation.id, operation);
    client.examined = undefined;
    return operation;
  }

  end(operation: Operation): void {
    this.running.delete(operation.id);
    const { client } = operation;
    // It leads to all that the query has made.
    if (client.isProfiled) client.examined = operation.examined ?? client.examined;
  }

  get size(): number {
    return this.running.size;
  }

  all(): readonly Operation[] {
    return [...this.running.values()];
  }

  /** Ends all waiting for what may come. */
  hurryAll(): void {
    for (const operation of this.running.values()) operation.hurry();
  }

  killAll(error: CommandError): void {
    for (const operation of this.running.values()) operation.kill(error);
  }
}
