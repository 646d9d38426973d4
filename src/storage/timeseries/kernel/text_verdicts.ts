/**
 * What a test says of the texts of a column, remembered: most columns of texts repeat few, and comparing bytes is cheaper
 * than making a text and asking again.
 */
import type { Value } from "../../../bson/mod.ts";
import { type Column, viewOf } from "../../../column/mod.ts";
import { valueAt } from "../cell.ts";
import { KeyTable } from "../key_table.ts";

/** So many distinct texts are remembered; beyond the first of them only for as long as most looks find one. */
const MAX_TEXTS = 16_384;
const TRIED_TEXTS = 4096;
/** Longer ones are no names. */
const MAX_TEXT_BYTES = 256;

/** In `ofPlaces`: not asked yet, fails, passes. */
const UNKNOWN = 0;
const FAILS = 1;
const PASSES = 2;

export class TextVerdicts {
  private readonly texts = new KeyTable();
  private readonly verdicts: boolean[] = [];
  /** Of the bytes that were looked at last. */
  private view: DataView | undefined;
  /** Looks that found a text. */
  private found = 0;
  /** The column with a dictionary that was asked about last, and what is known of its distinct values. */
  private column: Column | undefined;
  private ofPlaces = new Uint8Array(0);

  constructor(private readonly test: (value: Value) => boolean) {}

  /** Whether texts are still remembered: where most are new, that costs more than it saves. */
  get isUseful(): boolean {
    const { size } = this.texts;
    return size < TRIED_TEXTS || (size < MAX_TEXTS && this.found > size);
  }

  /** The verdict on a value of a column of texts. */
  of(column: Column, index: number): boolean {
    const place = column.dictionary?.places[index];
    if (place === undefined) return this.ofText(column, index);
    if (column !== this.column) {
      this.column = column;
      this.ofPlaces = new Uint8Array(column.dictionary!.distinct);
    }
    if (this.ofPlaces[place] === UNKNOWN) {
      this.ofPlaces[place] = this.ofText(column, index) ? PASSES : FAILS;
    }
    return this.ofPlaces[place] === PASSES;
  }

  private ofText(column: Column, index: number): boolean {
    const start = column.startAt(index);
    const end = column.endAt(index);
    if (end - start > MAX_TEXT_BYTES || !this.isUseful) return this.test(valueAt(column, index));
    this.view = viewOf(column.arena, this.view);
    const number = this.texts.numberOf(column.type, this.view, start, end);
    if (number === this.verdicts.length) this.verdicts.push(this.test(valueAt(column, index)));
    else this.found++;
    return this.verdicts[number]!;
  }
}
