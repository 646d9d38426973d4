/**
 * Which fields an update changed, as an effect in the log keeps them: paths only, since the document itself stands beside
 * them. A row of changes:
 *
 *     kind, 1 byte | parts of the path, 1 byte | each part, UTF-8 with a zero byte behind it
 *
 *     1 set        the field, or element of an array, has the value that the document has there
 *     2 remove     the field is gone
 *     3 truncate   the array has only as many elements as the document's has
 */
import { assert } from "../../base/mod.ts";
import { readText } from "../../bson/mod.ts";

const KINDS = ["set", "remove", "truncate"] as const;
const UTF8 = new TextEncoder();
const MAX_PARTS = 255;

export interface FieldChange {
  readonly kind: typeof KINDS[number];
  /** Names of fields, and places in arrays. */
  readonly path: readonly string[];
}

export function encodeFieldChanges(changes: readonly FieldChange[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { kind, path } of changes) {
    assert(path.length > 0 && path.length <= MAX_PARTS, "a path is no deeper than a document");
    parts.push(Uint8Array.of(KINDS.indexOf(kind) + 1, path.length), UTF8.encode(`${path.join("\0")}\0`));
  }
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

export function decodeFieldChanges(bytes: Uint8Array): FieldChange[] {
  const changes: FieldChange[] = [];
  for (let at = 0; at < bytes.length;) {
    const kind = KINDS[bytes[at]! - 1];
    assert(kind !== undefined, `a change of kind ${bytes[at]} is known`);
    const path: string[] = [];
    let start = at + 2;
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
