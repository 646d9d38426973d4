import assert from "node:assert/strict";
import { serialize } from "bson";
import { RawDocument } from "../../bson/mod.ts";
import { decodeEffects, type Effect, EffectBuffer } from "./effect.ts";

const raw = (value: Record<string, unknown>) => new RawDocument(serialize(value));

/** What can be compared: views lie elsewhere after a round trip. */
function plain({ document, before, ...others }: Effect) {
  return { ...others, document: [...document.slice()], ...(before && { before: [...before.slice()] }) };
}

Deno.test("effects come back from the log as they went in", () => {
  const effects: Effect[] = [
    { kind: "insert", collectionId: 1, document: raw({ _id: 1, a: 1 }) },
    { kind: "replace", collectionId: 70_000, document: raw({ _id: 1 }), before: raw({ _id: 1, a: 1 }) },
    {
      kind: "update",
      collectionId: 2,
      document: raw({ _id: 1, ä: { "": [1] } }),
      before: raw({ _id: 1 }),
      changes: [
        { kind: "element", path: ["ä", "", "0"] },
        { kind: "update", path: ["ä"] },
        { kind: "insert", path: ["😀"] },
        { kind: "remove", path: ["b.c"] },
        { kind: "truncate", path: ["ä", ""] },
      ],
    },
    { kind: "update", collectionId: 2, document: raw({ _id: 1 }), changes: [] },
    { kind: "delete", collectionId: 2, document: raw({ _id: 1 }) },
  ];
  const buffer = new EffectBuffer();
  effects.forEach((effect) => buffer.add(effect));
  assert.equal(buffer.sizeBytes, buffer.parts().reduce((sum, part) => sum + part.length, 0));
  assert.deepEqual(buffer.parts().flatMap(decodeEffects).map(plain), effects.map(plain));
});
