/** A page of a column that is decoded in blocks, each when a value in it is first asked for. */
import { BLOCK_VALUES, type Column, readValues } from "../../column/mod.ts";

export class ColumnBlocks {
  private readonly isRead: Uint8Array;
  private missing: number;

  /**
   * @param content of the page
   * @param column where values are put
   */
  constructor(private readonly content: Uint8Array, private readonly column: Column) {
    this.missing = Math.ceil(column.length / BLOCK_VALUES);
    this.isRead = new Uint8Array(this.missing);
  }

  get isWhole(): boolean {
    return this.missing === 0;
  }

  /** Sees to it that the values `[from, to)` are in the column. */
  read(from: number, to: number): void {
    const { isRead } = this;
    let first = Math.floor(from / BLOCK_VALUES);
    let end = Math.ceil(to / BLOCK_VALUES);
    while (first < end && isRead[first] === 1) first++;
    while (first < end && isRead[end - 1] === 1) end--;
    if (first >= end) return;
    readValues(
      this.content,
      this.column,
      first * BLOCK_VALUES,
      Math.min(this.column.length, end * BLOCK_VALUES),
    );
    for (let block = first; block < end; block++) {
      this.missing -= 1 - isRead[block]!;
      isRead[block] = 1;
    }
  }
}
