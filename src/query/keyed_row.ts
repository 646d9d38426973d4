/** A row that knows what it was sorted by, for `{ $meta: "sortKey" }`. What is made of it alone knows that too. */
import { BsonUndefined, type BsonWriter, Document, type Layout, type Value } from "../bson/mod.ts";

export class KeyedRow extends Document {
  /**
   * @param row without a key of its own
   * @param sortKey a value a part of the sort
   */
  private constructor(readonly row: Document, readonly sortKey: readonly Value[]) {
    super();
  }

  /** The row with a key, in the place of one that it has. */
  static of(row: Document, sortKey: readonly Value[]): KeyedRow {
    return new KeyedRow(withoutKey(row), sortKey);
  }

  override get(name: string): Value {
    return this.row.get(name);
  }

  override names(): readonly string[] {
    return this.row.names();
  }

  override values(): readonly Value[] {
    return this.row.values();
  }

  override layout(): Layout {
    return this.row.layout();
  }

  override writeTo(writer: BsonWriter): void {
    this.row.writeTo(writer);
  }
}

/** A key as a client sees it: what stands for an empty array is null. */
export function shownSortKey(key: readonly Value[]): readonly Value[] {
  return key.map((value) => value === BsonUndefined.VALUE ? null : value);
}

export function withoutKey(row: Document): Document {
  return row instanceof KeyedRow ? row.row : row;
}

/** The row `made` from another one, which gives it its key. */
export function keyedAs(source: Document, made: Document): Document {
  return source instanceof KeyedRow && !(made instanceof KeyedRow) ? KeyedRow.of(made, source.sortKey) : made;
}
