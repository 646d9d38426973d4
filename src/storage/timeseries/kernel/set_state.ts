/** `$addToSet`: a group is told of a value when it is the first of its number (value_codes.ts) there. */
import { indexOfRow, valueOf } from "./column_view.ts";
import type { FoldedOutput } from "./fragment.ts";
import { NOT_THERE, PairTable } from "./pair_table.ts";
import type { SliceSource } from "./slice_source.ts";
import { NO_VALUE, ValueCodes } from "./value_codes.ts";
import { AccumulatorState } from "./value_state.ts";

/** What is remembered of groups and values; beyond that they are told again. */
const MAX_PAIRS = 2 ** 17;

export class SetState extends AccumulatorState {
  private codes = new ValueCodes();
  private codesOfRows = new Int32Array(1024);
  private readonly known = new PairTable();

  constructor(output: FoldedOutput, private readonly path: FoldedOutput["path"]) {
    super(output);
  }

  override add(
    source: SliceSource,
    rows: Int32Array | undefined,
    from: number,
    to: number,
    group: number,
  ): void {
    const count = to - from;
    if (count > this.codesOfRows.length) this.codesOfRows = new Int32Array(2 * count);
    if (this.codes.isFull || this.known.size > MAX_PAIRS) {
      this.codes = new ValueCodes();
      this.known.clear();
    }
    const view = source.view(this.path, rows, from, to);
    const { codesOfRows, known } = this;
    this.codes.read(view, rows, from, to, codesOfRows);
    for (let k = 0; k < count; k++) {
      const code = codesOfRows[k]!;
      if (code === NO_VALUE || known.get(group, code) !== NOT_THERE) continue;
      known.add(group, code, 1);
      const row = rows === undefined ? from + k : rows[from + k]!;
      this.accumulatorOf(group).add(valueOf(view, indexOfRow(view, row)));
    }
  }
}
