/**
 * A place in what one segment has of a table: rows by (series, time), row group after row group. Rows that have expired
 * or were taken away are passed over.
 */
import type { MergeGroup } from "./merge_group.ts";
import type { RowMask } from "./row_mask.ts";

/** `series` of a cursor behind the last row. */
export const NO_SERIES = Infinity;

export class MergeCursor {
  /** The series of the rows at hand. */
  series = NO_SERIES;
  /** The rows at hand: `[row, end)` of `group`, all of one series, none of them gone. */
  row = 0;
  end = 0;
  /** The time of the row at hand. */
  time = 0;
  private nextGroup = 0;
  private place = 0;
  /** Where the rows of the series end. */
  private placeEnd = 0;
  private mask: RowMask | undefined;
  private current: MergeGroup | undefined;

  /**
   * @param order of two cursors with rows of one series and time, those of the smaller came first
   * @param groups opens the row groups of the segment, one after the other
   * @param maskOf the rows of a row group that are gone
   * @param firstMs rows of earlier times have expired
   */
  constructor(
    readonly order: number,
    private readonly groupCount: number,
    private readonly openGroup: (index: number) => MergeGroup,
    private readonly maskOf: (index: number) => RowMask | undefined,
    private readonly firstMs: number,
  ) {
    this.toNextGroup();
  }

  /** Where the rows at hand are. */
  get group(): MergeGroup {
    return this.current!;
  }

  /** Goes on to a row, at most to `end` of those at hand: then to the next rows there are. */
  advanceTo(row: number): void {
    this.row = row;
    if (row === this.end && !this.toRows(row)) return this.toPlace(this.place + 1);
    this.time = this.group.timeOf(this.row);
  }

  /** Takes the rows at hand from `row` on, up to one that is gone; false when the series has none left. */
  private toRows(row: number): boolean {
    const { mask, placeEnd } = this;
    if (mask === undefined) {
      this.row = row;
      this.end = placeEnd;
      return row < placeEnd;
    }
    this.row = mask.nextLeft(row, placeEnd);
    this.end = mask.nextGone(this.row, placeEnd);
    return this.row < placeEnd;
  }

  private toPlace(place: number): void {
    const { group } = this.group;
    for (; place < group.series.length; place++) {
      this.place = place;
      this.placeEnd = group.seriesEnds[place]!;
      let row = group.firstRowOf(place);
      if (this.firstMs > this.group.entry.minTime) {
        row = this.group.firstRowFrom(this.firstMs, row, this.placeEnd);
      }
      if (!this.toRows(row)) continue;
      this.series = group.series[place]!;
      this.time = this.group.timeOf(this.row);
      return;
    }
    this.toNextGroup();
  }

  private toNextGroup(): void {
    while (this.nextGroup < this.groupCount) {
      this.mask = this.maskOf(this.nextGroup);
      this.current = this.openGroup(this.nextGroup++);
      if (this.current.entry.maxTime >= this.firstMs) return this.toPlace(0);
    }
    this.series = NO_SERIES;
  }
}
