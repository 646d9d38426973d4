/** Rows made of index keys alone, and index keys of which the first fields differ. */
import { type BsonWriter, BuiltDocument, Document, IndexKeyReader, type Value } from "../../bson/mod.ts";
import type { IndexField } from "./index_definition.ts";
import type { IndexBatch, KeyRange } from "./index_reader.ts";
import type { KeyRow } from "./stored_row.ts";

export type KeyField = Pick<IndexField, "path" | "descending">;

/** What makes a document of a key: its fields in the index's order, missing ones as null, dotted ones in documents. */
export function keyDocuments(fields: readonly KeyField[]): (row: KeyRow) => Document {
  const directions = fields.map(({ descending }) => descending);
  if (fields.every(({ path }) => path.length === 1)) {
    const names = fields.map(({ path }) => path[0]!);
    return ({ key, types }) => new KeyDocument(names, directions, new IndexKeyReader(key, types));
  }
  const make = documentMaker(fields.map(({ path }, at) => ({ path, at })));
  return ({ key, types }) => {
    const reader = new IndexKeyReader(key, types);
    return make(directions.map((descending) => reader.next(descending)));
  };
}

/** A key of whole fields as a document; of its values those are read that are asked for, and all before them. */
class KeyDocument extends Document {
  private readonly read: Value[] = [];

  constructor(
    private readonly fieldNames: readonly string[],
    private readonly directions: readonly boolean[],
    private readonly reader: IndexKeyReader,
  ) {
    super();
  }

  override get(name: string): Value {
    const at = this.fieldNames.indexOf(name);
    if (at >= this.read.length) this.readTo(at);
    return this.read[at];
  }

  override names(): readonly string[] {
    return this.fieldNames;
  }

  override values(): readonly Value[] {
    this.readTo(this.fieldNames.length - 1);
    return this.read;
  }

  override writeTo(writer: BsonWriter): void {
    new BuiltDocument(this.fieldNames, this.values()).writeTo(writer);
  }

  private readTo(last: number): void {
    while (this.read.length <= last) this.read.push(this.reader.next(this.directions[this.read.length]!));
  }
}

interface Place {
  readonly path: readonly string[];
  /** Of the value among those of the key. */
  readonly at: number;
}

function documentMaker(places: readonly Place[]): (values: readonly Value[]) => Document {
  const names = [...new Set(places.map(({ path }) => path[0]!))];
  const parts = names.map((name): (values: readonly Value[]) => Value => {
    const own = places.filter(({ path }) => path[0] === name);
    const { path, at } = own[0]!;
    if (path.length === 1) return (values) => values[at];
    return documentMaker(own.map((place) => ({ ...place, path: place.path.slice(1) })));
  });
  return (values) => new BuiltDocument(names, parts.map((part) => part(values)));
}

/**
 * Of the next rows of a range those that are the first ones with their values in the first fields of the index.
 *
 * @param readOne the next row of a range
 */
export function firstRows<Row extends { readonly seq: number; readonly key: Uint8Array }>(
  readOne: (range: KeyRange) => IndexBatch<Row> | undefined,
  range: KeyRange,
  backward: boolean,
  maxRows: number,
  fields: readonly KeyField[],
): IndexBatch<Row> | undefined {
  const rows: Row[] = [];
  let left: KeyRange | undefined = range;
  while (left !== undefined && rows.length < maxRows) {
    const batch: IndexBatch<Row> | undefined = readOne(left);
    if (batch === undefined) return undefined;
    const row = batch.rows[0];
    if (row !== undefined) rows.push(row);
    left = row === undefined ? batch.left : behind(left, row.key, backward, fields);
  }
  return { rows, left };
}

/** What of a range lies behind all keys with the first values of one. */
function behind(
  { from, to }: KeyRange,
  key: Uint8Array,
  backward: boolean,
  fields: readonly KeyField[],
): KeyRange | undefined {
  const reader = new IndexKeyReader(key, null);
  for (const { descending } of fields) reader.next(descending);
  const prefix = key.subarray(0, reader.at);
  return backward ? { from, to: prefix } : { from: placeBehind(prefix), to };
}

/** The first bytes above all that begin so. A key's last byte may be the greatest one, its first never is. */
function placeBehind(prefix: Uint8Array): Uint8Array {
  let { length } = prefix;
  while (prefix[length - 1] === 0xff) length--;
  const place = prefix.slice(0, length);
  place[length - 1]!++;
  return place;
}
