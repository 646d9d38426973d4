/** How deep documents are nested. */
import { MAX_STORED_DEPTH } from "../base/mod.ts";
import { elementType, type RawDocument, skipElement, valueStart } from "./raw.ts";
import { BsonType } from "./type.ts";

/** Fewest bytes that a level of nesting takes: a document's length and end, a type byte and an empty name. */
const LEAST_BYTES_PER_LEVEL = 7;
/** A document of so many bytes at most is not deeper than what may be stored. */
export const SHALLOW_BYTES = LEAST_BYTES_PER_LEVEL * MAX_STORED_DEPTH - 1;

/** Whether a document has more levels than so many, itself being the first. */
export function isDeeperThan(document: RawDocument, levels: number): boolean {
  return hasLevels(document.bytes, document.start, document.end, levels);
}

/** Whether the document in `bytes[start, end)` holds so many levels of documents or arrays below it. */
function hasLevels(bytes: Uint8Array, start: number, end: number, levels: number): boolean {
  if (levels === 0) return true;
  if (end - start < LEAST_BYTES_PER_LEVEL * levels) return false;
  for (let at = start + 4; at < end - 1;) {
    const type = elementType(bytes, at);
    const next = skipElement(bytes, at);
    if (type === BsonType.Object || type === BsonType.Array) {
      if (hasLevels(bytes, valueStart(bytes, at), next, levels - 1)) return true;
    }
    at = next;
  }
  return false;
}
