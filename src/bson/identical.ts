/** Whether two values are the same bytes of BSON: what MongoDB calls an update that changes nothing. */
import { BuiltDocument, Document } from "./document.ts";
import { compareBytes } from "./compare.ts";
import { Int32, isArray, UtcDate, type Value } from "./value.ts";
import { encodeDocument } from "./writer.ts";

/** Types count: 1 and 1.0 are not identical, and neither are documents whose fields stand in another order. */
export function identicalValues(a: Value, b: Value): boolean {
  if (Object.is(a, b)) return true;
  if (a instanceof Int32 && b instanceof Int32) return a.value === b.value;
  if (a instanceof UtcDate && b instanceof UtcDate) return a.ms === b.ms && a.exactMs === b.exactMs;
  if (typeof a !== typeof b || a === undefined || b === undefined || isArray(a) !== isArray(b)) return false;
  if (typeof a === "string" || typeof a === "boolean" || typeof a === "bigint") return false;
  if (typeof a === "number" && !Number.isNaN(a)) return false;
  return compareBytes(bytesOf(a), bytesOf(b)) === 0;
}

/** As `identicalValues`, for whole documents. */
export function identicalDocuments(a: Document, b: Document): boolean {
  return a === b || compareBytes(encodeDocument(a), encodeDocument(b)) === 0;
}

function bytesOf(value: Value): Uint8Array {
  return value instanceof Document ? encodeDocument(value) : encodeDocument(new BuiltDocument([""], [value]));
}
