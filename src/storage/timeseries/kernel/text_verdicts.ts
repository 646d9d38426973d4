/**
 * What a test says of the texts of a column, remembered: most columns of texts repeat few, and comparing bytes is cheaper
 * than making a text and asking again.
 */
import type { Value } from "../../../bson/mod.ts";
import type { Column } from "../../../column/mod.ts";
import { valueAt } from "../cell.ts";
import { KeyTable } from "../key_table.ts";

/** More distinct texts than this are asked each for itself: then remembering costs more than it saves. */
const MAX_TEXTS = 1024;
/** Longer ones are no names. */
const MAX_TEXT_BYTES = 256;

export class TextVerdicts {
  private readonly texts = new KeyTable();
  private readonly verdicts: boolean[] = [];

  constructor(private readonly test: (value: Value) => boolean) {}

  /** Whether texts are still remembered. */
  get isUseful(): boolean {
    return this.texts.size < MAX_TEXTS;
  }

  /** The verdict on a value of a column of texts, whose bytes `view` shows. */
  of(column: Column, view: DataView, index: number): boolean {
    const start = column.startAt(index);
    const end = column.ends[index]!;
    if (end - start > MAX_TEXT_BYTES || !this.isUseful) return this.test(valueAt(column, index));
    const number = this.texts.numberOf(column.type, view, start, end);
    if (number === this.verdicts.length) this.verdicts.push(this.test(valueAt(column, index)));
    return this.verdicts[number]!;
  }
}
