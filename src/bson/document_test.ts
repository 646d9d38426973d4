import assert from "node:assert/strict";
import { BuiltDocument, type Document } from "./document.ts";
import { BsonType } from "./type.ts";
import { Int32, type Value } from "./value.ts";
import { BsonWriter } from "./writer.ts";

const NAMES = ["_id", "größe", "last"];
const OTHERS = ["_id", "last"];

function documents(): BuiltDocument[] {
  return Array.from({ length: 140 }, (_, i) => {
    const values: Value[] = [`id ${i}`, i % 3 === 0 ? undefined : i / 8, new Int32(i)];
    if (i % 45 === 44) return BuiltDocument.of({ alone: i });
    return i % 60 < 40 ? new BuiltDocument(NAMES, values) : new BuiltDocument(OTHERS, [values[0], values[2]]);
  });
}

function written(batch: readonly Document[], firstIndex: number): Uint8Array {
  const writer = new BsonWriter();
  batch.forEach((document, i) => {
    writer.header(BsonType.Object, String(firstIndex + i));
    document.writeTo(writer);
  });
  return writer.take();
}

Deno.test("documents that share their names are the same bytes as one by one", () => {
  const batch = documents();
  const writer = new BsonWriter();
  const room = { index: 5, count: Infinity, endBytes: Infinity };
  assert.equal(batch[0]!.writeElements(batch, 0, room, writer), batch.length);
  assert.deepEqual(writer.take(), written(batch, 5));
});

Deno.test("no more documents are written than there is room for", () => {
  const batch = documents();
  for (const count of [1, 2, 17, 33]) {
    const endBytes = written(batch.slice(0, count), 0).length;
    for (const room of [{ index: 0, count, endBytes: Infinity }, { index: 0, count: Infinity, endBytes }]) {
      const writer = new BsonWriter();
      assert.equal(batch[0]!.writeElements(batch, 0, room, writer), count);
      assert.deepEqual(writer.take(), written(batch.slice(0, count), 0));
    }
  }
});
