import assert from "node:assert/strict";
import { BsonType, BuiltDocument, encodeDocument, Int32, readValue, type Value } from "../../bson/mod.ts";
import { viewOf } from "../../column/mod.ts";
import { MetaFinder, NO_VALUE } from "./meta_finder.ts";
import { SeriesIndex } from "./series_index.ts";

const document = (fields: Record<string, Value>) => BuiltDocument.of(fields);

function addAll(index: SeriesIndex, metas: readonly BuiltDocument[]): void {
  for (const meta of metas) {
    const bytes = encodeDocument(meta);
    index.numberOf(BsonType.Object, viewOf(bytes), 0, bytes.length);
  }
}

const ELSEWHERE = "elsewhere";

/** What is found at a path of the first series, and so on. */
function foundAt(index: SeriesIndex, ...fields: string[]): Value[] {
  const finder = new MetaFinder(index, fields);
  return Array.from({ length: index.size }, (_, series) => {
    if (!finder.find(series)) return ELSEWHERE;
    return finder.type === NO_VALUE ? undefined : readValue(index.bytes, finder.type, finder.start);
  });
}

Deno.test("a value is found by the names that lead to it", () => {
  const index = new SeriesIndex();
  addAll(index, [
    document({ a: "x", ab: document({ c: document({ d: 7 }) }), b: null }),
    // What is skipped looks like what is looked for.
    document({ a: "\x02b\0\x02\0\0\0x\0", abc: "y", b: Int32.of(3) }),
    document({ ab: document({ b: 1, c: "no document" }) }),
  ]);
  assert.deepEqual(foundAt(index, "a"), ["x", "\x02b\0\x02\0\0\0x\0", undefined]);
  assert.deepEqual(foundAt(index, "b"), [null, Int32.of(3), undefined]);
  assert.deepEqual(foundAt(index, "ab", "c", "d"), [7, undefined, undefined]);
  assert.deepEqual(foundAt(index, "ab", "c").slice(1), [undefined, "no document"]);
  assert.deepEqual(foundAt(index, "ab", "b"), [undefined, undefined, 1]);
  assert.deepEqual(foundAt(index, "z"), [undefined, undefined, undefined]);
});

Deno.test("arrays, and names that are no ASCII, are left to others", () => {
  const index = new SeriesIndex();
  addAll(index, [document({ a: [1] }), document({ a: document({ 0: 1 }), "é": 2 })]);
  assert.deepEqual(foundAt(index, "a", "0"), [ELSEWHERE, 1]);
  assert.equal(foundAt(index, "a")[0], ELSEWHERE);
  assert.deepEqual(foundAt(index, "é"), [ELSEWHERE, ELSEWHERE]);
  assert.deepEqual(foundAt(index, "a\0"), [ELSEWHERE, ELSEWHERE]);
});

Deno.test("a meta may be no document, or not there", () => {
  const index = new SeriesIndex();
  const bytes = Uint8Array.of(5, 0, 0, 0);
  index.numberOf(BsonType.Int32, viewOf(bytes), 0, 4);
  index.numberOf(NO_VALUE, viewOf(bytes), 0, 0);
  assert.deepEqual(foundAt(index), [Int32.of(5), undefined]);
  assert.deepEqual(foundAt(index, "a"), [undefined, undefined]);
});
