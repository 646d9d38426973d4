/** Lets others run while a query reads. */
import { YIELD_AFTER_MS } from "../../base/mod.ts";
import type { Clock } from "../../io/mod.ts";

/** Awaits a checkpoint once some milliseconds have passed since the last one. */
export class Pacer {
  private since: number;

  constructor(private readonly clock: Clock, private readonly checkpoint: () => Promise<void>) {
    this.since = clock.monotonicMs();
  }

  isDue(): boolean {
    return this.clock.monotonicMs() - this.since >= YIELD_AFTER_MS;
  }

  async rest(): Promise<void> {
    await this.checkpoint();
    this.restart();
  }

  async restIfDue(): Promise<void> {
    if (this.isDue()) await this.rest();
  }

  restart(): void {
    this.since = this.clock.monotonicMs();
  }
}
