/**
 * Retention: once a minute, unless told otherwise, what is older than its collection's expireAfterSeconds goes. Between two passes old
 * measurements answer, as in MongoDB.
 */
import { type Logger, RETENTION_INTERVAL_MS } from "../base/mod.ts";
import type { Clock } from "../io/mod.ts";
import type { CollectionInfo } from "./catalog.ts";
import type { RetentionSettings } from "./router.ts";

/** What retention asks of its node. */
export interface RetentionTarget {
  readonly collections: () => readonly CollectionInfo[];
  /** Takes the measurements of a collection away that are older than a time in milliseconds since 1970. */
  readonly expire: (info: CollectionInfo, beforeMs: number) => Promise<void>;
}

export class Retention {
  private cancelTimer: (() => void) | undefined;
  private passes = false;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;
  private settings: RetentionSettings = { intervalMs: RETENTION_INTERVAL_MS, isEnabled: true };

  constructor(
    private readonly clock: Clock,
    private readonly logger: Logger,
    private readonly target: RetentionTarget,
  ) {
    this.schedule();
  }

  /** Other settings, from now on: what is not given stays. A wait that runs begins anew. @returns what they were */
  change(change: Partial<RetentionSettings>): RetentionSettings {
    const before = this.settings;
    this.settings = { ...before, ...change };
    if (!this.passes && !this.stopped && this.settings.intervalMs !== before.intervalMs) {
      this.cancelTimer?.();
      this.schedule();
    }
    return before;
  }

  /** Begins no more passes; resolves when the one that runs has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.cancelTimer?.();
    await this.running;
  }

  private schedule(): void {
    this.cancelTimer = this.clock.after(this.settings.intervalMs, () => {
      this.passes = true;
      this.running = this.pass().finally(() => {
        this.passes = false;
        if (!this.stopped) this.schedule();
      });
    });
  }

  /** One pass over all collections. What fails is logged and tried again with the next one. */
  private async pass(): Promise<void> {
    for (const info of this.target.collections()) {
      const seconds = info.timeseries?.expireAfterSeconds;
      if (seconds === undefined || this.stopped || !this.settings.isEnabled) continue;
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
