import assert from "node:assert/strict";
import { Code, serialize } from "bson";
import { CommandError, MAX_BSON_DEPTH, seededRandom } from "../base/mod.ts";
import { RawDocument } from "./raw.ts";
import { validateDocument } from "./validate.ts";

function codeOfError(bytes: Uint8Array): number | undefined {
  try {
    validateDocument(bytes, 0, bytes.length);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof CommandError, String(error));
    return error.code;
  }
}

function nested(depth: number): Uint8Array {
  let value: unknown = 1;
  for (let i = 1; i < depth; i++) value = { a: value };
  return serialize({ a: value });
}

Deno.test("a valid document ends where its length says", () => {
  const bytes = serialize({ a: 1, b: "x", c: { d: [1, 2] }, e: new Code("f", { g: 1 }), h: /i/ });
  assert.equal(validateDocument(bytes, 0, bytes.length), bytes.length);
});

Deno.test("every truncation is refused", () => {
  const bytes = serialize({ a: 1, b: "x", c: { d: [1, 2] }, e: new Code("f", { g: 1 }), h: /i/ });
  for (let length = 0; length < bytes.length; length++) {
    assert.equal(codeOfError(bytes.slice(0, length)), 22, `${length} bytes`);
  }
});

Deno.test("nesting is limited", () => {
  // The outermost document is level 0, as in MongoDB.
  assert.equal(codeOfError(nested(MAX_BSON_DEPTH + 1)), undefined);
  assert.equal(codeOfError(nested(MAX_BSON_DEPTH + 2)), 15);
});

const BROKEN: readonly (readonly [string, readonly number[]])[] = [
  ["a length below five", [4, 0, 0, 0, 0]],
  ["a negative length", [255, 255, 255, 255, 0]],
  ["no end", [5, 0, 0, 0, 1]],
  ["an unknown type", [8, 0, 0, 0, 0x20, 97, 0, 0]],
  ["a string length of zero", [12, 0, 0, 0, 2, 97, 0, 0, 0, 0, 0, 0]],
  ["a boolean of two", [9, 0, 0, 0, 8, 97, 0, 2, 0]],
  ["a name without end", [8, 0, 0, 0, 10, 97, 97, 0]],
  ["a long name without end", [13, 0, 0, 0, 10, 97, 97, 97, 97, 97, 97, 97, 0]],
  ["a value beyond the end", [11, 0, 0, 0, 16, 97, 0, 1, 0, 0, 0]],
  ["a string beyond the end", [14, 0, 0, 0, 2, 97, 0, 4, 0, 0, 0, 97, 0, 0]],
  ["a string without end", [14, 0, 0, 0, 2, 97, 0, 2, 0, 0, 0, 97, 97, 0]],
  ["bytes after the end", [7, 0, 0, 0, 0, 0, 0]],
];

for (const [what, bytes] of BROKEN) {
  Deno.test(`refused: ${what}`, () => assert.equal(codeOfError(new Uint8Array(bytes)), 22));
}

Deno.test("names of any length, of any bytes, end where they end", () => {
  for (let length = 0; length < 20; length++) {
    for (const byte of [1, 127, 128, 255]) {
      const name = new Uint8Array(length).fill(byte);
      const bytes = Uint8Array.of(0, 0, 0, 0, 16, ...name, 0, 7, 0, 0, 0, 2, ...name, 0, 1, 0, 0, 0, 0, 0);
      bytes[0] = bytes.length;
      assert.equal(codeOfError(bytes), undefined, `${length} times ${byte}`);
    }
  }
});

Deno.test("what passes the check can be read, whatever the bytes", () => {
  const random = seededRandom(7);
  const valid = serialize({ a: 1, b: "x", c: { d: [1, 2.5, "y"] }, e: new Date(5), h: /i/, u: [[[]]] });
  let passed = 0;
  for (let round = 0; round < 20_000; round++) {
    const bytes = new Uint8Array(valid);
    for (let i = 0; i < 3; i++) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    if (codeOfError(bytes) !== undefined) continue;
    passed++;
    readAll(new RawDocument(bytes));
  }
  assert.ok(passed > 100, `${passed} mutations passed`);
});

function readAll(document: RawDocument): void {
  document.names();
  for (const value of document.values()) if (value instanceof RawDocument) readAll(value);
}
