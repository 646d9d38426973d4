/**
 * Values by their place. Numbers and dates, which measurements mostly are, stand in typed arrays: an object each would cost
 * four times as much memory, and the collector would have to go through all of them. Of other values that repeat the one before there
 * is one. A value that is read is a new object, equal to the one that came.
 */
import { BuiltDocument, type Document, Int32, UtcDate, type Value } from "../bson/mod.ts";

/** What stands at a place; the number beside it is the value, or of `Other` and `Row` where it stands. */
export const ValueKind = {
  Missing: 0,
  Null: 1,
  Double: 2,
  Int: 3,
  Long: 4,
  Date: 5,
  Other: 6,
  Row: 7,
} as const;

/** What a place costs beside what is no number. */
const PLACE_BYTES = 9;
const PAGE_SHIFT = 12;
const PAGE_LENGTH = 1 << PAGE_SHIFT;
const FIRST_LENGTH = 16;

/** Where documents stand that columns hold. */
export interface DocumentColumns {
  /** Bytes of the document that was added last, about. */
  readonly lastBytes: number;
  /** @returns where it stands; undefined for one that is not taken */
  add(document: Document): number | undefined;
  at(where: number): Document;
}

export class ValueColumn {
  /** Bit `kind` is set for each kind that came. */
  kinds = 0;
  /** What `Other` places name. */
  readonly others: Value[] = [];
  private count = 0;
  private readonly kindPages: Uint8Array[] = [];
  private readonly numberPages: Float64Array[] = [];
  /** Places that there is room for. */
  private room = 0;

  /**
   * @param bytesOf of a value that is no number; a value counts where it does not repeat the one before
   * @param documents takes documents that stages made; without, they stay what they are
   */
  constructor(
    private readonly bytesOf: (value: Value) => number,
    private readonly documents?: DocumentColumns,
  ) {}

  get length(): number {
    return this.count;
  }

  /** Adds a value that keeps nothing alive but itself. @returns the bytes that it takes, about */
  push(value: Value): number {
    if (typeof value === "number") return this.put(ValueKind.Double, value);
    if (value instanceof UtcDate && Number.isSafeInteger(value.ms)) return this.put(ValueKind.Date, value.ms);
    if (value instanceof Int32) return this.put(ValueKind.Int, value.value);
    if (value === undefined) return this.put(ValueKind.Missing, 0);
    if (value === null) return this.put(ValueKind.Null, 0);
    if (typeof value === "bigint" && Number.isSafeInteger(Number(value))) {
      return this.put(ValueKind.Long, Number(value));
    }
    if (this.documents !== undefined && value instanceof BuiltDocument) {
      const where = this.documents.add(value);
      if (where !== undefined) return this.put(ValueKind.Row, where) + this.documents.lastBytes;
    }
    return this.pushOther(value);
  }

  at(place: number): Value {
    const number = this.numberAt(place);
    switch (this.kindAt(place)) {
      case ValueKind.Double:
        return number;
      case ValueKind.Date:
        return new UtcDate(number);
      case ValueKind.Int:
        return Int32.of(number);
      case ValueKind.Missing:
        return undefined;
      case ValueKind.Null:
        return null;
      case ValueKind.Long:
        return BigInt(number);
      case ValueKind.Row:
        return this.documents!.at(number);
      default:
        return this.others[number];
    }
  }

  kindAt(place: number): number {
    return this.kindPages[place >> PAGE_SHIFT]![place & (PAGE_LENGTH - 1)]!;
  }

  /** The number of a place that holds one, or a date. */
  numberAt(place: number): number {
    return this.numberPages[place >> PAGE_SHIFT]![place & (PAGE_LENGTH - 1)]!;
  }

  /** Takes out all values; the room of the first ones is kept. */
  clear(): void {
    this.kinds = 0;
    this.others.length = 0;
    this.count = 0;
    this.kindPages.length = this.numberPages.length = Math.min(1, this.kindPages.length);
    this.room = this.kindPages[0]?.length ?? 0;
  }

  private pushOther(value: Value): number {
    const { others } = this;
    const last = others.length - 1;
    if (last >= 0 && Object.is(others[last], value)) return this.put(ValueKind.Other, last);
    others.push(value);
    return this.put(ValueKind.Other, last + 1) + this.bytesOf(value);
  }

  private put(kind: number, number: number): number {
    const place = this.count++;
    if (place === this.room) this.grow();
    this.kinds |= 1 << kind;
    this.kindPages[place >> PAGE_SHIFT]![place & (PAGE_LENGTH - 1)] = kind;
    this.numberPages[place >> PAGE_SHIFT]![place & (PAGE_LENGTH - 1)] = number;
    return PLACE_BYTES;
  }

  /** The first page grows, so that short columns stay small; there are more of full length behind it. */
  private grow(): void {
    const { room, kindPages, numberPages } = this;
    const length = room < PAGE_LENGTH ? Math.max(FIRST_LENGTH, 2 * room) : PAGE_LENGTH;
    const kinds = new Uint8Array(length);
    const numbers = new Float64Array(length);
    if (room > 0 && room < PAGE_LENGTH) {
      kinds.set(kindPages.pop()!);
      numbers.set(numberPages.pop()!);
    }
    kindPages.push(kinds);
    numberPages.push(numbers);
    this.room = room < PAGE_LENGTH ? length : room + length;
  }
}
