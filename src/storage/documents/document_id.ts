/** The _id of a stored document. */
import { assert } from "../../base/mod.ts";
import { RawDocument, skipElement, type Value } from "../../bson/mod.ts";

/** The length before a document's elements. */
const HEADER_BYTES = 4;

export function idOf(document: RawDocument): Value {
  const id = document.get("_id");
  assert(id !== undefined, "a stored document has an _id");
  return id;
}

/** `{_id: …}` of a stored document. */
export function idDocument(document: RawDocument): RawDocument {
  const { bytes } = document;
  const at = document.find("_id");
  assert(at >= 0, "a stored document has an _id");
  const end = skipElement(bytes, at);
  const only = new Uint8Array(HEADER_BYTES + end - at + 1);
  only.set(bytes.subarray(at, end), HEADER_BYTES);
  new DataView(only.buffer).setInt32(0, only.length, true);
  return new RawDocument(only);
}
