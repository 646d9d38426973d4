/**
 * A page of a column as the cache has it: its values and, where some rows have none, how many stand before each row and the
 * end. Numbers are decoded in blocks, each when a value in it is first asked for.
 *
 * There are thousands of these: the fewer objects each is, the less the collector has to do.
 */
import { assert } from "../../base/mod.ts";
import { BLOCK_VALUES, type Column, readValues } from "../../column/mod.ts";

const NOTHING = new Uint8Array(0);

export class PageColumn {
  /** A bit for each block that is not decoded yet. */
  private missing = 0;
  /** The page, as it was read, from `at` on; its neighbours may be here, too. */
  private bytes: Uint8Array = NOTHING;
  private at = 0;

  /**
   * @param values all of them, unless `decodeLater` follows
   * @param indexes undefined where each row has a value
   */
  constructor(readonly values: Column, readonly indexes: Int32Array | undefined) {}

  /** Values are not there yet, but in the page that is in `bytes` from `at` on. */
  decodeLater(bytes: Uint8Array, at: number): void {
    const blocks = Math.ceil(this.values.length / BLOCK_VALUES);
    assert(blocks < 32, "a page has few blocks");
    this.missing = (1 << blocks) - 1;
    this.bytes = bytes;
    this.at = at;
  }

  /** Sees to it that the values of the page's rows `[from, to)` are there. */
  readRows(from: number, to: number): void {
    if (this.missing === 0) return;
    const { indexes } = this;
    if (indexes === undefined) this.read(from, to);
    else this.read(indexes[from]!, indexes[to]!);
  }

  /** Sees to it that the values `[from, to)` are there. */
  private read(from: number, to: number): void {
    if (from >= to) return;
    const below = (1 << Math.ceil(to / BLOCK_VALUES)) - 1;
    const asked = this.missing & below & -(1 << Math.floor(from / BLOCK_VALUES));
    if (asked === 0) return;
    const first = 31 - Math.clz32(asked & -asked);
    const end = 32 - Math.clz32(asked);
    const { values } = this;
    readValues(
      this.bytes,
      this.at,
      values,
      first * BLOCK_VALUES,
      Math.min(values.length, end * BLOCK_VALUES),
    );
    this.missing &= ~((1 << end) - (1 << first));
    if (this.missing === 0) this.bytes = NOTHING;
  }
}
