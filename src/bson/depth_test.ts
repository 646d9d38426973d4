import assert from "node:assert/strict";
import { isDeeperThan } from "./depth.ts";
import { BuiltDocument, type Document } from "./document.ts";
import { RawDocument } from "./raw.ts";
import { Int32, type Value } from "./value.ts";
import { encodeDocument } from "./writer.ts";

/** A document of so many levels, every other one an array. */
function nested(levels: number): RawDocument {
  let value: Value = Int32.of(1);
  for (let level = levels; level > 1; level--) {
    value = level % 2 === 0 ? [value] : BuiltDocument.of({ a: value });
  }
  const document: Document = BuiltDocument.of({ _id: Int32.of(1), a: value });
  return new RawDocument(encodeDocument(document));
}

Deno.test("a document is its own first level", () => {
  for (const levels of [1, 2, 3, 179, 180, 181]) {
    assert.equal(isDeeperThan(nested(levels), levels), false, `${levels}`);
    assert.equal(isDeeperThan(nested(levels), levels - 1), true, `${levels}`);
  }
});

Deno.test("the deepest of all fields counts", () => {
  const document = BuiltDocument.of({ a: Int32.of(1), b: nested(5), c: nested(2) });
  const raw = new RawDocument(encodeDocument(document));
  assert.equal(isDeeperThan(raw, 5), true);
  assert.equal(isDeeperThan(raw, 6), false);
});
