/**
 * An index of a regular collection: over which fields it goes, which documents it holds, and the keys of a document in
 * it. An array gives a key for each of its elements, as in MongoDB; an empty one gives the key of undefined, and what is
 * missing that of null. A hashed field has the hash of its value instead, and no arrays; a wildcard index the keys of
 * wildcard_keys.ts. A key is the index keys of the fields' values (bson/index_key.ts) one behind the other, those of
 * descending fields with all bits inverted: byte order is the index's order.
 */
import { assert, CommandError } from "../../base/mod.ts";
import {
  BsonUndefined,
  BuiltDocument,
  compareBytes,
  Document,
  encodeIndexKey,
  encodeKeyTypes,
  hashedValue,
  Int32,
  isArray,
  type Value,
} from "../../bson/mod.ts";
import type { FieldChange } from "./field_change.ts";
import { parseWildcard, type Wildcard, WILDCARD_FIELDS, wildcardKeys } from "./wildcard_keys.ts";

export interface IndexDefinition {
  readonly name: string;
  /** As in the catalog, but for what does not change the keys. */
  readonly spec: Document;
  /** Field names and directions, as the client gave them. */
  readonly keyPattern: Document;
  readonly fields: readonly IndexField[];
  /** Set for a wildcard index: which paths it goes over. Its fields are then those of its keys. */
  readonly wildcard: Wildcard | undefined;
  readonly isUnique: boolean;
  /** Whether writes may bring no second document under a key: so it is too before an index that has such becomes unique. */
  readonly refusesDuplicates: boolean;
  /** Documents that have none of the fields are left out. */
  readonly isSparse: boolean;
  /** The names of the fields of a document that its keys come from; undefined where any may count. */
  readonly reads: ReadonlySet<string> | undefined;
  /** Which documents are in it; undefined for all. */
  readonly includes: ((document: Document) => boolean) | undefined;
}

export interface IndexField {
  /** The dotted path, part by part. */
  readonly path: readonly string[];
  readonly descending: boolean;
  /** Whether the key is the value's hash. */
  readonly hashed?: true;
}

/** Makes a test of a partial index's filter. */
export type CompileFilter = (filter: Document) => (document: Document) => boolean;

/** Of a store without partial indexes. */
export function noFilters(): never {
  throw new CommandError("InternalError", "this store knows no filters of partial indexes");
}

/** One key of a document. */
export interface IndexKey {
  readonly bytes: Uint8Array;
  /** What the bytes leave open: see bson/key_types.ts. */
  readonly types: Uint8Array | null;
  /** What the fields hold; undefined where they are missing. */
  readonly values: readonly Value[];
}

/** All keys of a document, each once, in order. */
export interface DocumentKeys {
  readonly keys: readonly IndexKey[];
  /** For each field, the dotted paths at which it met an array. */
  readonly arrays: readonly (readonly string[])[];
}

/** @param spec as `listIndexes` shows it */
export function indexDefinition(spec: Document, compileFilter: CompileFilter): IndexDefinition {
  const key = spec.get("key");
  const filter = spec.get("partialFilterExpression");
  assert(key instanceof Document, "an index has a key");
  const wildcard = parseWildcard(key, spec.get("wildcardProjection"));
  const fields = wildcard === undefined ? indexFields(key) : WILDCARD_FIELDS;
  const readsAny = wildcard !== undefined || filter instanceof Document;
  return {
    name: String(spec.get("name")),
    spec,
    keyPattern: key,
    fields,
    wildcard,
    reads: readsAny ? undefined : new Set(fields.map(({ path }) => path[0]!)),
    isUnique: spec.get("unique") === true,
    refusesDuplicates: spec.get("unique") === true || spec.get("prepareUnique") === true,
    isSparse: spec.get("sparse") === true,
    includes: filter instanceof Document ? compileFilter(filter) : undefined,
  };
}

/** The fields of a key pattern; only the sign of a direction counts. */
export function indexFields(keyPattern: Document): readonly IndexField[] {
  const directions = keyPattern.values();
  return keyPattern.names().map((name, i) => {
    const direction = directions[i];
    const path = name.split(".");
    if (direction === "hashed") return { path, descending: false, hashed: true };
    const number = direction instanceof Int32 ? direction.value : Number(direction);
    return { path, descending: number < 0 };
  });
}

/** Whether a document may have other keys once these fields have changed. @param changes undefined where any may have */
export function mayChangeKeys(
  { reads }: IndexDefinition,
  changes: readonly FieldChange[] | undefined,
): boolean {
  if (reads === undefined || changes === undefined) return true;
  return changes.some(({ path }) => reads.has(path[0]!));
}

const NO_KEYS: DocumentKeys = { keys: [], arrays: [] };

/**
 * @throws CommandError CannotIndexParallelArrays (171) when two fields run through different arrays, 16746 when a number
 *   in a path could be a place in an array or a field's name, 16766 for an array beside a hashed field
 */
export function keysOf(definition: IndexDefinition, document: Document): DocumentKeys {
  const { fields, includes, isSparse, wildcard } = definition;
  if (includes !== undefined && !includes(document)) return NO_KEYS;
  if (wildcard !== undefined) return encodedKeys(definition, wildcardKeys(wildcard, document));
  const walk = new KeyWalk(fields);
  walk.expand(fields.map(() => ({ value: document, at: 0, isFinal: false })));
  const found = isSparse
    ? walk.found.filter((values) => values.some((value) => value !== undefined))
    : walk.found;
  return encodedKeys(definition, { found, arrays: walk.arrays });
}

/** @param found the values of each key, some perhaps more than once. @param arrays see `DocumentKeys` */
function encodedKeys(
  { fields }: IndexDefinition,
  { found, arrays }: Pick<KeyWalk, "found" | "arrays">,
): DocumentKeys {
  const keys = found.map((values) => {
    const held = fields.some(({ hashed }) => hashed) ? heldValues(values, fields) : values;
    return { bytes: encodeKey(held, fields), types: encodeKeyTypes(held), values };
  });
  if (keys.length > 1) keys.sort((a, b) => compareBytes(a.bytes, b.bytes));
  const distinct = keys.filter((key, i) => i === 0 || compareBytes(keys[i - 1]!.bytes, key.bytes) !== 0);
  return { keys: distinct, arrays: arrays.map((paths) => [...paths]) };
}

/** What of the values a key holds: their hashes where fields are hashed. */
function heldValues(values: readonly Value[], fields: readonly IndexField[]): readonly Value[] {
  return values.map((value, i) => fields[i]!.hashed ? hashedValue(value) : value);
}

function encodeKey(values: readonly Value[], fields: readonly IndexField[]): Uint8Array {
  const parts = values.map((value, i) => {
    const key = encodeIndexKey(value === undefined ? null : value);
    return fields[i]!.descending ? inverted(key) : key;
  });
  if (parts.length === 1) return parts[0]!;
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function inverted(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => ~byte);
}

/** Where the walk of one field stands: at `value`, with the path from `at` on before it. */
interface Place {
  readonly value: Value;
  readonly at: number;
  /** The value is the key, be it an array. */
  readonly isFinal: boolean;
}

class KeyWalk {
  readonly found: (readonly Value[])[] = [];
  readonly arrays: Set<string>[];

  constructor(private readonly fields: readonly IndexField[]) {
    this.arrays = fields.map(() => new Set());
  }

  expand(places: readonly Place[]): void {
    const reached = places.map((place, i) => this.descend(place, i));
    const open = reached.findIndex(isOpen);
    if (open < 0) {
      this.found.push(reached.map(({ value }) => value));
      return;
    }
    if (this.fields.some(({ hashed }) => hashed)) throw hashedArray(this.fields[open]!);
    const prefix = this.prefix(reached, open);
    const inArray = reached.map((place, i) => isOpen(place) && this.prefix(reached, i) === prefix);
    const parallel = reached.findIndex((place, i) => isOpen(place) && !inArray[i]);
    if (parallel >= 0) {
      const other = this.prefix(reached, parallel);
      throw new CommandError(
        "CannotIndexParallelArrays",
        `cannot index parallel arrays [${lastPart(other)}] [${lastPart(prefix)}]`,
      );
    }
    inArray.forEach((is, i) => is && this.arrays[i]!.add(prefix));
    this.expandArray(reached, inArray, reached[open]!.value as readonly Value[]);
  }

  /** Joins the places in one array with each of its elements; the others stay. */
  private expandArray(
    places: readonly Place[],
    inArray: readonly boolean[],
    array: readonly Value[],
  ): void {
    if (array.length === 0) {
      this.expand(
        places.map((place, i) =>
          inArray[i] ? final(this.isEnd(place, i) ? BsonUndefined.VALUE : undefined) : place
        ),
      );
      return;
    }
    const picked = places.map((place, i) => inArray[i] ? this.pick(place, i, array) : place);
    if (picked.every((place, i) => place !== undefined || !inArray[i])) {
      return this.expand(picked.map((place) => place!));
    }
    for (const element of array) {
      this.expand(places.map((place, i) => {
        if (picked[i] !== undefined) return picked[i];
        if (this.isEnd(place, i)) return final(element);
        return element instanceof Document ? { ...place, value: element } : final(undefined);
      }));
    }
  }

  /** The element that a number in the path picks. */
  private pick(place: Place, field: number, array: readonly Value[]): Place | undefined {
    const part = this.fields[field]!.path[place.at];
    if (part === undefined || !/^(0|[1-9][0-9]{0,9})$/.test(part)) return undefined;
    const index = Number(part);
    if (index >= array.length) return undefined;
    if (array.some((element) => element instanceof Document && element.get(part) !== undefined)) {
      throw new CommandError(
        16746,
        "Ambiguous field name found in array (do not use numeric field names in embedded elements in an array), " +
          `field: '${part}'`,
      );
    }
    return { value: array[index], at: place.at + 1, isFinal: false };
  }

  /** Walks on through documents. */
  private descend(place: Place, field: number): Place {
    const { path } = this.fields[field]!;
    let { value, at } = place;
    if (place.isFinal) return place;
    while (at < path.length && value instanceof Document) value = value.get(path[at++]!);
    if (isArray(value)) return { value, at, isFinal: false };
    return final(at < path.length ? undefined : value);
  }

  private isEnd(place: Place, field: number): boolean {
    return place.at === this.fields[field]!.path.length;
  }

  private prefix(places: readonly Place[], field: number): string {
    return this.fields[field]!.path.slice(0, places[field]!.at).join(".");
  }
}

function hashedArray({ path }: IndexField): CommandError {
  const text = "Error: hashed indexes do not currently support array values. Found array at path: ";
  return new CommandError(16766, text + path.join("."));
}

function isOpen(place: Place): boolean {
  return !place.isFinal && isArray(place.value);
}

function final(value: Value): Place {
  return { value, at: Infinity, isFinal: true };
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}

/** The values of a key under the names of the fields; missing ones as null. */
export function keyDocument({ keyPattern }: IndexDefinition, values: readonly Value[]): Document {
  return new BuiltDocument(keyPattern.names(), values.map((value) => value === undefined ? null : value));
}
