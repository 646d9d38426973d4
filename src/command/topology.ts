/**
 * The version of what hello says. A driver hands back the version it knows and waits; it is answered when the
 * version moves, its time is up, its connection ends, or the server stops.
 */
import { CommandError } from "../base/mod.ts";
import { BuiltDocument, type Document, ObjectId } from "../bson/mod.ts";
import type { Operation } from "./operation.ts";

export class Topology {
  /** New with every start of the server. */
  readonly processId = new ObjectId();
  private counter = 0n;
  private stopping = false;
  private readonly waiting = new Set<() => void>();

  get version(): Document {
    return BuiltDocument.of({ processId: this.processId, counter: this.counter });
  }

  /** Clients that wait for a change. */
  get waiters(): number {
    return this.waiting.size;
  }

  /** Whether a client that knows `counter` of `processId` knows all there is. */
  isCurrent(processId: ObjectId, counter: bigint): boolean {
    return this.processId.equals(processId) && counter === this.counter;
  }

  /** Says that hello now answers something else. */
  change(): void {
    this.counter++;
    this.wakeAll();
  }

  shutDown(): void {
    this.stopping = true;
    this.wakeAll();
  }

  /** Resolves at the next change, or after `maxWaitMs`. @throws CommandError when the server stops */
  async waitForChange(operation: Operation, maxWaitMs: number): Promise<void> {
    this.refuseWhenStopping();
    await new Promise<void>((resolve) => {
      const cancelTimer = operation.clock.after(maxWaitMs, wake);
      const forgetClient = operation.client.onDisconnect(wake);
      const { waiting } = this;
      waiting.add(wake);
      function wake(): void {
        waiting.delete(wake);
        cancelTimer();
        forgetClient();
        resolve();
      }
    });
    this.refuseWhenStopping();
  }

  private refuseWhenStopping(): void {
    if (this.stopping) throw new CommandError("InterruptedAtShutdown", "interrupted at shutdown");
  }

  private wakeAll(): void {
    for (const wake of [...this.waiting]) wake();
  }
}
