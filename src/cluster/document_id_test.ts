import assert from "node:assert/strict";
import { serialize } from "bson";
import { CommandError } from "../base/mod.ts";
import { BsonWriter, ObjectId, RawDocument } from "../bson/mod.ts";
import { withIdFirst } from "./document_id.ts";

function raw(value: Record<string, unknown>): RawDocument {
  return new RawDocument(serialize(value));
}

Deno.test("a document whose _id stands first is left alone", () => {
  const document = raw({ _id: 1, a: 2 });
  assert.equal(withIdFirst(document), document);
});

Deno.test("an _id that stands elsewhere is moved to the front", () => {
  const moved = withIdFirst(raw({ a: "x", _id: { k: 1 }, b: 2 }));
  assert.deepEqual(new Uint8Array(serialize({ _id: { k: 1 }, a: "x", b: 2 })), moved.slice());
});

Deno.test("a missing _id is generated in front", () => {
  const made = withIdFirst(raw({ a: "x" }));
  assert.deepEqual(made.names(), ["_id", "a"]);
  assert.ok(made.get("_id") instanceof ObjectId);
  assert.deepEqual(withIdFirst(raw({})).names(), ["_id"]);
});

for (const [what, id] of [["array", [1]], ["regex", /a/]] as const) {
  Deno.test(`an _id of type ${what} is refused`, () => {
    assert.throws(
      () => withIdFirst(raw({ _id: id })),
      (error) => error instanceof CommandError && error.code === 53 && error.message.endsWith(`type ${what}`),
    );
  });
}

Deno.test("an _id with a field that starts with a dollar is refused", () => {
  assert.throws(
    () => withIdFirst(raw({ a: 1, _id: { b: 1, $a: 1 } })),
    (error) =>
      error instanceof CommandError && error.code === 52 && error.message.includes(": $a is not valid"),
  );
});

Deno.test("a document with two _ids is refused", () => {
  const writer = new BsonWriter();
  const start = writer.beginDocument();
  for (const [name, value] of [["_id", 1], ["_idx", 2], ["_id", 3]] as const) writer.value(name, value);
  writer.endDocument(start);
  assert.throws(
    () => withIdFirst(new RawDocument(writer.take())),
    (error) =>
      error instanceof CommandError && error.code === 2 && error.message.includes("multiple _id fields"),
  );
  assert.equal(withIdFirst(raw({ _id: 1, _idx: 2 })).names().length, 2);
});
