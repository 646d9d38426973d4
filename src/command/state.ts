/** What all commands of one server share. */
import {
  BATCH_SHARE,
  CommandError,
  MAX_BATCH_BYTES,
  MAX_CONNECTIONS,
  type MemoryBudget,
  MIN_BATCH_BYTES,
} from "../base/mod.ts";
import { Client } from "./client.ts";
import { ServerCounters } from "./counters.ts";
import { CursorTable } from "./cursors.ts";
import { FailPoints } from "./fail_points.ts";
import { OperationTable } from "./operation.ts";
import { Profiler } from "./profiler.ts";
import type { Services } from "./services.ts";
import { SnapshotTable } from "./snapshots.ts";
import { SessionTable } from "./sessions.ts";
import { Topology } from "./topology.ts";

/** What a reply's batch may hold: less than MongoDB's 16 MB where memory is short. */
function batchBytes(memory: MemoryBudget): number {
  return Math.min(MAX_BATCH_BYTES, Math.max(MIN_BATCH_BYTES, memory.share(BATCH_SHARE)));
}

export class ServerState {
  readonly counters: ServerCounters;
  readonly cursors: CursorTable;
  readonly sessions: SessionTable;
  readonly operations: OperationTable;
  readonly snapshots: SnapshotTable;
  readonly topology = new Topology();
  readonly profiler: Profiler;
  /** Undefined where there are no commands for tests. */
  readonly failPoints: FailPoints | undefined;
  private readonly clients = new Set<Client>();

  constructor(readonly services: Services) {
    this.counters = new ServerCounters();
    this.profiler = new Profiler(services);
    this.cursors = new CursorTable(services.clock, () => batchBytes(services.memory));
    this.sessions = new SessionTable(services.clock, (session) => this.cursors.killSession(session));
    this.operations = new OperationTable(services.clock);
    this.snapshots = new SnapshotTable(services.router, services.clock);
    this.failPoints = services.testCommands ? new FailPoints() : undefined;
  }

  /** Connections now open. */
  get connections(): number {
    return this.clients.size;
  }

  /** A new connection's client; undefined when there are too many. */
  connect(remote: string, trusted: boolean): Client | undefined {
    if (this.clients.size >= MAX_CONNECTIONS) return undefined;
    const client = new Client(++this.counters.connectionsCreated, remote, trusted);
    this.clients.add(client);
    return client;
  }

  disconnect(client: Client): void {
    this.clients.delete(client);
    client.disconnect();
  }

  /** Wakes what waits and stops what reads; commands that run get their answer. */
  shutDown(): void {
    this.topology.shutDown();
    this.operations.hurryAll();
  }

  /** Stops every running command and frees what cursors hold. */
  async close(): Promise<void> {
    this.operations.killAll(new CommandError("InterruptedAtShutdown", "interrupted at shutdown"));
    this.sessions.close();
    this.snapshots.close();
    await this.cursors.close();
  }
}
