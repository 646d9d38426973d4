/**
 * Retention: once a minute, what is older than its collection's expireAfterSeconds goes. Between two passes old
 * measurements answer, as in MongoDB.
 */
import { type Logger, RETENTION_INTERVAL_MS } from "../base/mod.ts";
import type { Clock } from "../io/mod.ts";
import type { CollectionInfo } from "./catalog.ts";

/** What retention asks of its node. */
export interface RetentionTarget {
  readonly collections: () => readonly CollectionInfo[];
  /** Takes the measurements of a collection away that are older than a time in milliseconds since 1970. */
  readonly expire: (info: CollectionInfo, beforeMs: number) => Promise<void>;
}

export class Retention {
  private cancelTimer: (() => void) | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly target: RetentionTarget,
  ) {
    this.schedule();
  }

  /** Begins no more passes; resolves when the one that runs has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.cancelTimer?.();
    await this.running;
  }

  private schedule(): void {
    this.cancelTimer = this.clock.after(RETENTION_INTERVAL_MS, () => {
      this.running = this.pass().finally(() => {
        if (!this.stopped) this.schedule();
      });
    });
  }

  /** One pass over all collections. What fails is logged and tried again with the next one. */
  private async pass(): Promise<void> {
    for (const info of this.target.collections()) {
      const seconds = info.timeseries?.expireAfterSeconds;
      if (seconds === undefined || this.stopped) continue;
      try {
        await this.target.expire(info, this.clock.nowMs() - seconds * 1000);
      } catch (error) {
        this.logger.error("retention failed", {
          collection: `${info.db}.${info.collection}`,
          error: String(error),
        });
      }
    }
  }
}
