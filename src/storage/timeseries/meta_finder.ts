/** The values at one path of metas, found in the bytes of the series index: no document is made of a meta. */
import { BsonType, valueSize } from "../../bson/mod.ts";
import type { SeriesIndex } from "./series_index.ts";

/** What stands for no value, as it does for a series without a meta. */
export const NO_VALUE = 0;

export class MetaFinder {
  /** The value that was found last: its type, and where its bytes start in those of the index. */
  type: BsonType | typeof NO_VALUE = NO_VALUE;
  start = 0;
  private readonly names: readonly Uint8Array[];
  private readonly canFind: boolean;

  /** @param names of the fields that lead from a meta to the value */
  constructor(private readonly index: SeriesIndex, names: readonly string[]) {
    // Names need not be UTF-8: which of them are read as one text only a decoder knows.
    this.canFind = names.every(isPlain);
    this.names = names.map((name) => Uint8Array.from(name, (character) => character.charCodeAt(0)));
  }

  /** Finds that of a series. @returns false where an array stands on the way or at its end, or where it cannot be found so */
  find(series: number): boolean {
    if (!this.canFind) return false;
    const { index, names } = this;
    const { bytes, bytesView } = index;
    let type = index.typeOf(series) as BsonType | typeof NO_VALUE;
    let start = index.startOf(series);
    for (let i = 0; i < names.length; i++) {
      if (type === BsonType.Array) return false;
      const at = type === BsonType.Object ? elementNamed(bytes, bytesView, start, names[i]!) : -1;
      if (at < 0) {
        this.type = NO_VALUE;
        return true;
      }
      type = bytes[at]! as BsonType;
      start = at + names[i]!.length + 2;
    }
    this.type = type;
    this.start = start;
    return type !== BsonType.Array;
  }
}

/** Whether a name is ASCII without zeros. */
function isPlain(name: string): boolean {
  for (let i = 0; i < name.length; i++) if ((name.charCodeAt(i) - 1) >>> 0 > 126) return false;
  return true;
}

/** Where the first element of that name starts in the document at `start`; -1 where there is none. */
function elementNamed(bytes: Uint8Array, view: DataView, start: number, name: Uint8Array): number {
  const { length } = name;
  const end = start + view.getInt32(start, true) - 1;
  for (let at = start + 4; at < end;) {
    let i = 0;
    let byte = bytes[at + 1]!;
    while (i < length && byte === name[i]) byte = bytes[at + 1 + ++i]!;
    if (i === length && byte === 0) return at;
    while (byte !== 0) byte = bytes[at + 1 + ++i]!;
    const value = at + i + 2;
    const type = bytes[at] as BsonType;
    at = value + (type === BsonType.String ? 4 + view.getInt32(value, true) : valueSize(bytes, type, value));
  }
  return -1;
}
