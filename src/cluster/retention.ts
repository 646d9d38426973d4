/**
 * Retention: once a minute, unless told otherwise, what is older than its collection's expireAfterSeconds goes, and what has outlived a
 * TTL index. Between two passes all of it answers, as in MongoDB.
 */
import { type Logger, MAX_EXPIRED_AT_ONCE, RETENTION_INTERVAL_MS } from "../base/mod.ts";
import type { Document } from "../bson/mod.ts";
import type { Clock } from "../io/mod.ts";
import type { CollectionInfo } from "./catalog.ts";
import { expiredFilters } from "./expiring_documents.ts";
import type { RetentionCounts, RetentionSettings } from "./router.ts";

/** What retention asks of its node. */
export interface RetentionTarget {
  readonly collections: () => readonly CollectionInfo[];
  /** Takes the measurements of a collection away that are older than a time in milliseconds since 1970. */
  readonly expire: (info: CollectionInfo, beforeMs: number) => Promise<void>;
  /** Deletes documents of a regular collection that pass a filter. @returns how many went */
  readonly deleteSome: (info: CollectionInfo, filter: Document, limit: number) => Promise<number>;
}

export class Retention {
  private cancelTimer: (() => void) | undefined;
  private passes = false;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;
  private passCount = 0;
  private deletedCount = 0;
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

  get counts(): RetentionCounts {
    return { passes: this.passCount, deletedDocuments: this.deletedCount };
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
    const { isEnabled } = this.settings;
    for (const info of this.target.collections()) {
      if (this.stopped || !this.settings.isEnabled) continue;
      try {
        await this.expire(info);
      } catch (error) {
        this.logger.error("retention failed", {
          collection: `${info.db}.${info.collection}`,
          error: String(error),
        });
      }
    }
    if (isEnabled) this.passCount++;
  }

  private async expire(info: CollectionInfo): Promise<void> {
    const nowMs = this.clock.nowMs();
    const seconds = info.timeseries?.expireAfterSeconds;
    if (seconds !== undefined) await this.target.expire(info, nowMs - seconds * 1000);
    for (const filter of expiredFilters(info, nowMs)) {
      for (let gone = MAX_EXPIRED_AT_ONCE; gone === MAX_EXPIRED_AT_ONCE && !this.stopped;) {
        gone = await this.target.deleteSome(info, filter, MAX_EXPIRED_AT_ONCE);
        this.deletedCount += gone;
      }
    }
  }
}
