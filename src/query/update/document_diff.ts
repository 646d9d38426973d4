/**
 * How a document differs from what it was, for updates that say what it becomes and not what changes. The fields of both are
 * walked side by side, as MongoDB does for its oplog: where the difference would take as many bytes as the document, it
 * counts as replaced.
 *
 * Sizes are those of MongoDB's form of a difference, in BSON:
 *
 *     of a document  {d: {removed: false}, u: {changed: value}, i: {new: value}, sFIELD: a difference}
 *     of an array    {a: true, l: its new length, u3: value, s5: a difference}
 */
import {
  BsonType,
  compareBytes,
  elementType,
  RawDocument,
  readName,
  skipElement,
  valueStart,
} from "../../bson/mod.ts";
import { type Delta, DeltaBuilder } from "./delta.ts";

/** Of an empty document. */
const EMPTY_BYTES = 5;
/** Of a part such as `u: {}`: its type, its name and an empty document. */
const SECTION_BYTES = 3 + EMPTY_BYTES;
/** Of `a: true`. */
const ARRAY_MARK_BYTES = 4;
/** Of `l: 3`. */
const LENGTH_BYTES = 7;
/** Of `removed: false` without the name. */
const REMOVED_BYTES = 3;
/** What stands around a difference in an entry of the oplog. */
const ENTRY_BYTES = 15;
const UTF8 = new TextEncoder();

/** @returns undefined where the document counts as replaced */
export function diffDocuments(old: RawDocument, changed: RawDocument): Delta | undefined {
  const difference = diffFields(old, changed, []);
  if (difference === undefined || difference.sizeBytes + ENTRY_BYTES >= changed.sizeBytes) return undefined;
  const delta = new DeltaBuilder();
  difference.addTo(delta);
  return delta.build();
}

/** An element of a document or an array. */
interface Element {
  readonly name: string;
  readonly type: BsonType;
  readonly value: Uint8Array;
  /** Bytes of all of it. */
  readonly sizeBytes: number;
}

interface Difference {
  readonly sizeBytes: number;
  readonly addTo: (delta: DeltaBuilder) => void;
}

/** @returns undefined where the difference is larger than what the document is now */
function diffFields(
  old: RawDocument,
  changed: RawDocument,
  path: readonly string[],
): Difference | undefined {
  const before = elementsOf(old);
  const after = elementsOf(changed);
  const size = new FieldsSize();
  const removed = new Set<string>();
  const changes: Difference["addTo"][] = [];
  let from = 0;
  let to = 0;
  while (from < before.length && to < after.length) {
    if (size.bytes > changed.sizeBytes) return undefined;
    const [a, b] = [before[from++]!, after[to]!];
    if (a.name !== b.name) {
      removed.add(a.name);
      continue;
    }
    to++;
    if (isSame(a, b)) continue;
    const place = [...path, b.name];
    const inside = diffInside(a, b, place);
    if (inside === undefined) size.section("u", b.sizeBytes);
    else size.bytes += insideBytes(b, inside);
    changes.push(inside?.addTo ?? ((delta) => delta.note("update", place)));
  }
  for (const b of after.slice(to)) {
    size.section("i", b.sizeBytes);
    removed.delete(b.name);
    changes.push((delta) => delta.note("insert", [...path, b.name]));
  }
  for (const a of before.slice(from)) removed.add(a.name);
  for (const name of [...removed].sort()) {
    size.section("d", REMOVED_BYTES + UTF8.encode(name).length);
    changes.push((delta) => delta.note("remove", [...path, name]));
  }
  return differenceOf(size.bytes, changes);
}

function diffElements(
  old: RawDocument,
  changed: RawDocument,
  path: readonly string[],
): Difference | undefined {
  const before = elementsOf(old);
  const after = elementsOf(changed);
  const changes: Difference["addTo"][] = [];
  let bytes = EMPTY_BYTES + ARRAY_MARK_BYTES;
  for (let i = 0; i < after.length; i++) {
    if (bytes > changed.sizeBytes) return undefined;
    const [a, b] = [before[i], after[i]!];
    if (a !== undefined && isSame(a, b)) continue;
    const place = [...path, b.name];
    const inside = a && diffInside(a, b, place);
    // The place follows an `u`, where it does not follow an `s`.
    bytes += inside === undefined ? 1 + b.sizeBytes : insideBytes(b, inside);
    changes.push(inside?.addTo ?? ((delta) => delta.note("element", place)));
  }
  if (after.length < before.length) {
    bytes += LENGTH_BYTES;
    changes.push((delta) => delta.note("truncate", path));
  }
  return differenceOf(bytes, changes);
}

function differenceOf(sizeBytes: number, changes: readonly Difference["addTo"][]): Difference {
  return { sizeBytes, addTo: (delta) => changes.forEach((addTo) => addTo(delta)) };
}

/** What differs inside of two documents or two arrays; undefined where the new one is to be taken as a whole. */
function diffInside(a: Element, b: Element, path: readonly string[]): Difference | undefined {
  if (a.type !== b.type || (a.type !== BsonType.Object && a.type !== BsonType.Array)) return undefined;
  const diff = a.type === BsonType.Object ? diffFields : diffElements;
  const inside = diff(new RawDocument(a.value), new RawDocument(b.value), path);
  return inside !== undefined && inside.sizeBytes >= b.value.length ? undefined : inside;
}

/** Of a difference inside of a field: the letter `s` stands before its name. */
function insideBytes({ sizeBytes, value }: Element, inside: Difference): number {
  return sizeBytes - value.length + 1 + inside.sizeBytes;
}

/** The bytes of a document's difference so far. */
class FieldsSize {
  bytes = EMPTY_BYTES;
  private readonly sections = new Set<string>();

  section(name: string, bytes: number): void {
    if (!this.sections.has(name)) this.bytes += SECTION_BYTES;
    this.sections.add(name);
    this.bytes += bytes;
  }
}

function elementsOf(document: RawDocument): Element[] {
  const { bytes } = document;
  const elements: Element[] = [];
  document.forEachElement((at) => {
    const end = skipElement(bytes, at);
    elements.push({
      name: readName(bytes, at),
      type: elementType(bytes, at),
      value: bytes.subarray(valueStart(bytes, at), end),
      sizeBytes: end - at,
    });
  });
  return elements;
}

function isSame(a: Element, b: Element): boolean {
  return a.type === b.type && compareBytes(a.value, b.value) === 0;
}
