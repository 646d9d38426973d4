/** A page of a column that is decoded in blocks, each when a value in it is first asked for. */
import { assert } from "../../base/mod.ts";
import { BLOCK_VALUES, type Column, readValues } from "../../column/mod.ts";

const NOTHING = new Uint8Array(0);

export class ColumnBlocks {
  /** A bit for each block that is not decoded. */
  private missing: number;

  /**
   * @param content of the page
   * @param column where values are put
   */
  constructor(private content: Uint8Array, private readonly column: Column) {
    const blocks = Math.ceil(column.length / BLOCK_VALUES);
    assert(blocks < 32, "a page has few blocks");
    this.missing = (1 << blocks) - 1;
  }

  get isWhole(): boolean {
    return this.missing === 0;
  }

  /** Sees to it that the values `[from, to)` are in the column. */
  read(from: number, to: number): void {
    const asked = this.missing & ((1 << Math.ceil(to / BLOCK_VALUES)) - 1) &
      -(1 << Math.floor(from / BLOCK_VALUES));
    if (asked === 0 || from >= to) return;
    const first = 31 - Math.clz32(asked & -asked);
    const end = 32 - Math.clz32(asked);
    const { content, column } = this;
    readValues(content, column, first * BLOCK_VALUES, Math.min(column.length, end * BLOCK_VALUES));
    this.missing &= ~((1 << end) - (1 << first));
    if (this.missing === 0) this.content = NOTHING;
  }
}
