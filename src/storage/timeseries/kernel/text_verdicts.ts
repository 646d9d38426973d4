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

/** In `ofPlaces`: not asked yet, fails, passes. */
const UNKNOWN = 0;
const FAILS = 1;
const PASSES = 2;

export class TextVerdicts {
  private readonly texts = new KeyTable();
  private readonly verdicts: boolean[] = [];
  /** The column with a dictionary that was asked about last, and what is known of its distinct values. */
  private column: Column | undefined;
  private ofPlaces = new Uint8Array(0);

  constructor(private readonly test: (value: Value) => boolean) {}

  /** Whether texts are still remembered. */
  get isUseful(): boolean {
    return this.texts.size < MAX_TEXTS;
  }

  /** The verdict on a value of a column of texts, whose bytes `view` shows. */
  of(column: Column, view: DataView, index: number): boolean {
    const place = column.dictionary?.places[index];
    if (place === undefined) return this.ofText(column, view, index);
    if (column !== this.column) {
      this.column = column;
      this.ofPlaces = new Uint8Array(column.dictionary!.distinct);
    }
    if (this.ofPlaces[place] === UNKNOWN) {
      this.ofPlaces[place] = this.ofText(column, view, index) ? PASSES : FAILS;
    }
    return this.ofPlaces[place] === PASSES;
  }

  private ofText(column: Column, view: DataView, index: number): boolean {
    const start = column.startAt(index);
    const end = column.ends[index]!;
    if (end - start > MAX_TEXT_BYTES || !this.isUseful) return this.test(valueAt(column, index));
    const number = this.texts.numberOf(column.type, view, start, end);
    if (number === this.verdicts.length) this.verdicts.push(this.test(valueAt(column, index)));
    return this.verdicts[number]!;
  }
}
