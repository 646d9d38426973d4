/**
 * Which fields an update changed, as an effect in the log keeps them: paths only, since the document itself stands beside
 * them. A row of changes, in the order in which the update noted them:
 *
 *     kind, 1 byte | parts of the path, 1 byte | each part, UTF-8 with a zero byte behind it
 *
 *     1 update     a field of a document has another value
 *     2 insert     a field of a document is new
 *     3 remove     a field of a document is gone
 *     4 element    an element of an array has another value, or is new
 *     5 truncate   an array has fewer elements
 */
import { assert } from "../../base/mod.ts";
import { readText } from "../../bson/mod.ts";

const KINDS = ["update", "insert", "remove", "element", "truncate"] as const;
const UTF8 = new TextEncoder();
const MAX_PARTS = 255;
const HEADER_BYTES = 2;
/** UTF-8 has no more for a unit of a JavaScript text. */
const MAX_BYTES_PER_UNIT = 3;

export interface FieldChange {
  readonly kind: typeof KINDS[number];
  /** Names of fields, and places in arrays. */
  readonly path: readonly string[];
}

/** What changes take at most. */
export function maxFieldChangesBytes(changes: readonly FieldChange[]): number {
  let bytes = 0;
  for (const { path } of changes) {
    bytes += HEADER_BYTES + path.length;
    for (const part of path) bytes += part.length * MAX_BYTES_PER_UNIT;
  }
  return bytes;
}

/** Writes changes where there is room for them. @returns where they end */
export function writeFieldChanges(
  target: Uint8Array,
  start: number,
  changes: readonly FieldChange[],
): number {
  let at = start;
  for (const { kind, path } of changes) {
    assert(path.length > 0 && path.length <= MAX_PARTS, "a path is no deeper than a document");
    target[at++] = KINDS.indexOf(kind) + 1;
    target[at++] = path.length;
    for (const part of path) {
      at = writeText(target, at, part);
      target[at++] = 0;
    }
  }
  return at;
}

function writeText(target: Uint8Array, start: number, text: string): number {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 127) return start + UTF8.encodeInto(text, target.subarray(start)).written;
    target[start + i] = unit;
  }
  return start + text.length;
}

export function decodeFieldChanges(bytes: Uint8Array): FieldChange[] {
  const changes: FieldChange[] = [];
  for (let at = 0; at < bytes.length;) {
    const kind = KINDS[bytes[at]! - 1];
    assert(kind !== undefined, `a change of kind ${bytes[at]} is known`);
    const path: string[] = [];
    let start = at + HEADER_BYTES;
    for (let left = bytes[at + 1]!; left > 0; left--) {
      const end = bytes.indexOf(0, start);
      assert(end >= 0, "a part of a path has an end");
      path.push(readText(bytes, start, end));
      start = end + 1;
    }
    changes.push({ kind, path });
    at = start;
  }
  return changes;
}
