/**
 * A map by BSON equality: what `keyOf` gives one key has one entry. Dates, by which measurements are grouped most, have a
 * map of numbers of their own, and the entry found last is looked at first: no key is made for either.
 */
import { type Collation, UtcDate, type Value, type ValueKey, valueKeys } from "../bson/mod.ts";

export class ValueMap<T> {
  /** Made for their first entry: of groups in groups there are many maps, and most have one kind of key. */
  private byKey: Map<ValueKey, T> | undefined;
  private byDate: Map<number, T> | undefined;
  private lastDate = NaN;
  private lastText: string | undefined;
  private last: T | undefined;
  private readonly keyOf: (value: Value) => ValueKey;

  /** @param collation which texts are equal; undefined for those of the same bytes */
  constructor(collation?: Collation) {
    this.keyOf = valueKeys(collation);
  }

  /** The entry of a value, or undefined. */
  get(value: Value): T | undefined {
    if (value instanceof UtcDate) {
      if (value.ms === this.lastDate) return this.last;
      return this.found(this.byDate?.get(value.ms), value.ms, undefined);
    }
    if (typeof value === "string" && value === this.lastText) return this.last;
    return this.found(this.byKey?.get(this.keyOf(value)), NaN, typeof value === "string" ? value : undefined);
  }

  /** Adds the entry of a value that has none. */
  set(value: Value, entry: T): void {
    if (value instanceof UtcDate) (this.byDate ??= new Map()).set(value.ms, entry);
    else (this.byKey ??= new Map()).set(this.keyOf(value), entry);
  }

  private found(entry: T | undefined, date: number, text: string | undefined): T | undefined {
    if (entry === undefined) return undefined;
    this.lastDate = date;
    this.lastText = text;
    return this.last = entry;
  }
}
