/** `$first` and `$last`, in the order of the rows: of each group where the value stands, read when it is asked for. */
import type { Document, Value } from "../../../bson/mod.ts";
import { type ColumnView, indexOfRow, valueOf } from "./column_view.ts";
import type { AnyOutput } from "./fragment.ts";
import type { OutputState } from "./output_state.ts";
import type { SliceSource } from "./slice_source.ts";

/** A value, or where it is. */
type Held = { readonly value: Value } | { readonly view: ColumnView; readonly index: number };

const MISSING: Held = { value: null };

export class PositionState implements OutputState {
  private readonly held: (Held | undefined)[] = [];

  constructor(
    private readonly output: AnyOutput,
    private readonly path: number,
    private readonly isFirst: boolean,
  ) {}

  reserve(): void {}

  add(source: SliceSource, rows: Int32Array | undefined, from: number, to: number, group: number): void {
    if (this.isFirst && this.held[group] !== undefined) return;
    const k = this.isFirst ? from : to - 1;
    const view = source.view(this.path);
    const index = indexOfRow(view, rows === undefined ? k : rows[k]!);
    this.held[group] = index < 0 ? MISSING : { view, index };
  }

  addRow(row: Document, group: number): void {
    if (this.isFirst && this.held[group] !== undefined) return;
    const value = this.output.read(row);
    this.held[group] = { value: value === undefined ? null : value };
  }

  addPage(): boolean {
    return false;
  }

  partial(group: number): Value {
    const held = this.held[group];
    if (held === undefined) return null;
    return "value" in held ? held.value : valueOf(held.view, held.index);
  }

  result(group: number): Value {
    return this.partial(group);
  }
}
