/**
 * A store as it was when a view of it was opened, for transactions and snapshots. Tables never change what a snapshot of
 * theirs holds, so a view takes one of each table: not when it is opened, which would cost as much as there are tables,
 * but when the table is about to change. What has not changed since is read as it is now.
 *
 * A snapshot keeps its memtables, whose memory is counted until they are flushed. So a flush puts the segment into the
 * place of the memtable in the snapshots of open views, with a mask over the rows that they do not see.
 */
import { CommandError } from "../../base/mod.ts";
import { maskWithout, type RowMask, RowMaskBuilder } from "./row_mask.ts";
import type { TableSnapshot } from "./table_snapshot.ts";
import { type FlushedMemtable, masksOfRows, type Table } from "./table.ts";

export class StoreView {
  /** Tables that have changed since, as they were; undefined for one that cannot be shown any more. */
  private readonly kept = new Map<number, TableSnapshot | undefined>();

  /** @param onClose called once */
  constructor(private readonly onClose: (view: StoreView) => void) {}

  /** A table as it was. @throws CommandError SnapshotTooOld where that is not known any more */
  snapshotOf(table: Table): TableSnapshot {
    if (!this.kept.has(table.id)) return table.snapshot();
    const snapshot = this.kept.get(table.id);
    if (snapshot !== undefined) return snapshot;
    throw new CommandError(
      "SnapshotTooOld",
      "measurements that the snapshot has were removed and then flushed",
    );
  }

  /** A table is about to change. @param snapshot takes one; undefined where it cannot be read */
  keep(id: number, snapshot: () => TableSnapshot | undefined): void {
    if (!this.kept.has(id)) this.kept.set(id, snapshot());
  }

  flushed(id: number, memtable: FlushedMemtable): void {
    const snapshot = this.kept.get(id);
    if (snapshot !== undefined) this.kept.set(id, withSegment(snapshot, memtable));
  }

  close(): void {
    this.kept.clear();
    this.onClose(this);
  }
}

/** The views of a store that are open. */
export class StoreViews {
  private readonly open = new Set<StoreView>();

  begin(): StoreView {
    const view = new StoreView((closed) => this.open.delete(closed));
    this.open.add(view);
    return view;
  }

  /** As `StoreView.keep`, of all. */
  keep(id: number, snapshot: () => TableSnapshot | undefined): void {
    for (const view of this.open) view.keep(id, snapshot);
  }

  flushed(id: number, memtable: FlushedMemtable | undefined): void {
    if (memtable === undefined) return;
    for (const view of this.open) view.flushed(id, memtable);
  }
}

/** A snapshot without a memtable, of which a segment has the rows now; undefined where that lacks rows of the snapshot. */
function withSegment(
  snapshot: TableSnapshot,
  { memtable, unwritten, written }: FlushedMemtable,
): TableSnapshot | undefined {
  const held = snapshot.memtables.find((each) => each.memtable === memtable);
  if (held === undefined) return snapshot;
  const memtables = snapshot.memtables.filter((each) => each !== held);
  const { limit, removed } = held;
  const lost = maskWithout(unwritten, removed);
  if (lost !== undefined && lost.nextGone(0, limit) < limit) return undefined;
  if (written === undefined) return { ...snapshot, memtables };
  const { segment, entry, rows } = written;
  const unseen = new RowMaskBuilder(removed);
  unseen.addRange(limit, memtable.length);
  const mask = unseen.build();
  const masks = mask === undefined ? new Map<number, RowMask>() : masksOfRows(mask, rows, entry.groups);
  const groups = entry.groups.filter(({ offset, rows }) => (masks.get(offset)?.count ?? 0) < rows);
  segment.share();
  return {
    ...snapshot,
    memtables,
    segments: [...snapshot.segments, { segment, groups, firstMs: -Infinity, masks }],
  };
}
