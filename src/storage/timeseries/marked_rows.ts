/**
 * The rows that a change takes away, as its scan found them: marked where they lay then. While they still lie there, the
 * marks are the masks to come, and nothing has to be looked for when the change is applied; a replay, or a flush or merge
 * in between, finds the rows by the spans of the log's entry instead (removal.ts). Both give the same.
 */
import { type RowMask, RowMaskBuilder } from "./row_mask.ts";
import type { TableSnapshot } from "./table_snapshot.ts";

export class MarkedRows {
  /** By the age of the row group or memtable: its place among those of the snapshot, from 1. */
  private readonly builders: (RowMaskBuilder | undefined)[] = [];
  private readonly bases: (RowMask | undefined)[] = [undefined];

  constructor(readonly snapshot: TableSnapshot) {
    for (const { groups, masks } of snapshot.segments) {
      for (const { offset } of groups) this.bases.push(masks.get(offset));
    }
    for (const { removed } of snapshot.memtables) this.bases.push(removed);
  }

  add(age: number, row: number): void {
    (this.builders[age] ??= new RowMaskBuilder(this.bases[age])).add(row);
  }

  /** The mask of the row group or memtable of an age, with the marks. */
  maskOf(age: number): RowMask | undefined {
    const builder = this.builders[age];
    return builder === undefined ? this.bases[age] : builder.build();
  }
}
