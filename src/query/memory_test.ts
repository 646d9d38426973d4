import assert from "node:assert/strict";
import { ROW_COPY_CHUNK_BYTES } from "../base/mod.ts";
import {
  type BsonWriter,
  BuiltDocument,
  Document,
  encodeDocument,
  RawDocument,
  type Value,
} from "../bson/mod.ts";
import { RowCopies } from "./memory.ts";

/** A view, as rows of stored columns are. */
class View extends Document {
  constructor(private readonly viewed: Document) {
    super();
  }

  override get(name: string): Value {
    return this.viewed.get(name);
  }

  override names(): readonly string[] {
    return this.viewed.names();
  }

  override values(): readonly Value[] {
    return this.viewed.values();
  }

  override writeTo(writer: BsonWriter): void {
    this.viewed.writeTo(writer);
  }
}

function rowOf(i: number, textLength: number): Document {
  return BuiltDocument.of({ i, text: "x".repeat(textLength), inner: BuiltDocument.of({ i }) });
}

Deno.test("rows of any length are copied as they are, side by side", () => {
  const rows = [0, 10, 5000, 60_000, 10, 200_000, ...new Array<number>(300).fill(400)]
    .map((length, i) => rowOf(i, length));
  const copies = new RowCopies();
  const held = rows.map((row) => copies.copyOf(new View(row)));
  const buffers = new Set<ArrayBufferLike>();
  held.forEach((copy, i) => {
    assert.ok(copy instanceof RawDocument);
    assert.deepEqual(copy.slice(), encodeDocument(rows[i]!));
    buffers.add(copy.bytes.buffer);
  });
  assert.ok(buffers.size < 12, `${buffers.size} buffers`);
  const largest = Math.max(...[...buffers].map((buffer) => buffer.byteLength));
  assert.ok(largest < 4 * ROW_COPY_CHUNK_BYTES, "a row that fits nowhere has a buffer of its own size");
});

Deno.test("rows that own their bytes or values are held as they are; of views only the fields that are read", () => {
  const copies = new RowCopies();
  const built = rowOf(1, 10);
  const raw = new RawDocument(encodeDocument(built));
  assert.equal(copies.copyOf(built), built);
  assert.equal(copies.copyOf(raw), raw);
  assert.deepEqual(copies.copyOf(new View(built), new Set(["i"])).names(), ["i"]);
});
