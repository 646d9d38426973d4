/**
 * Reads with readConcern `snapshot` outside of transactions: each shows what was there at a cluster time, the latest, or
 * one that an earlier read was told. What reads may come back to is kept for a while; then it is too old.
 */
import { CommandError, MAX_SNAPSHOTS, SNAPSHOT_LIFETIME_MS } from "../base/mod.ts";
import type { Router, Transaction } from "../cluster/mod.ts";
import type { Clock } from "../io/mod.ts";
import { shownTimestamp } from "./cluster_time.ts";

export interface Snapshot {
  /** What is read: a transaction that nothing is written in. */
  readonly view: Transaction;
  readonly clusterTime: bigint;
}

interface KeptSnapshot extends Snapshot {
  readonly cancel: () => void;
}

export class SnapshotTable {
  /** In the order of last use. */
  private readonly kept = new Map<bigint, KeptSnapshot>();

  constructor(private readonly router: Router, private readonly clock: Clock) {}

  /**
   * @param clusterTime undefined for the latest
   * @throws CommandError SnapshotTooOld where nothing is kept of that time
   */
  at(clusterTime: bigint | undefined): Snapshot {
    const { operationTime } = this.router.clusterTime;
    const time = clusterTime ?? operationTime;
    const known = this.kept.get(time);
    // Nothing has happened after the operation time: what is there now is what is there at later times.
    const isGone = known === undefined || known.view.isEnded;
    if (isGone && time < operationTime) {
      const text = `Read timestamp ${shownTimestamp(time)} is older than the oldest available timestamp.`;
      throw new CommandError("SnapshotTooOld", text);
    }
    const view = isGone ? this.router.beginTransaction({ lsid: NO_SESSION, txnNumber: 0n }) : known.view;
    known?.cancel();
    this.kept.delete(time);
    const cancel = this.clock.after(SNAPSHOT_LIFETIME_MS, () => this.forget(time));
    this.kept.set(time, { view, clusterTime: time, cancel });
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= MAX_SNAPSHOTS) break;
      this.forget(oldest);
    }
    return { view, clusterTime: time };
  }

  close(): void {
    for (const time of [...this.kept.keys()]) this.forget(time);
  }

  private forget(time: bigint): void {
    const snapshot = this.kept.get(time);
    if (snapshot === undefined) return;
    this.kept.delete(time);
    snapshot.cancel();
    snapshot.view.end(new CommandError("SnapshotTooOld", "the snapshot is kept no longer"));
  }
}

const NO_SESSION = new Uint8Array(16);
