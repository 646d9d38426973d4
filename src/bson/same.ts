/** Whether values are the same, not just equal: of one type, with the same bytes. */
import { BuiltDocument } from "./document.ts";
import { Int32, UtcDate, type Value } from "./value.ts";
import { encodeDocument } from "./writer.ts";

export function isSame(a: Value, b: Value): boolean {
  if (Object.is(a, b)) return true;
  if (a instanceof UtcDate && b instanceof UtcDate) return a.ms === b.ms;
  if (a instanceof Int32 && b instanceof Int32) return a.value === b.value;
  return typeof a === "object" && typeof b === "object" && a !== null && b !== null &&
    bytesOf(a).toHex() === bytesOf(b).toHex();
}

function bytesOf(value: Value): Uint8Array {
  return encodeDocument(new BuiltDocument(["value"], [value]));
}
