import { strictEqual } from "node:assert/strict";
import { readText } from "./text.ts";

Deno.test("texts of every short length are read, of ASCII and of more", () => {
  const ascii = "The quick brown fox jumps over the lazy dog, and then some more of it.";
  for (const source of [ascii, `${ascii.slice(0, 11)}é${ascii}`]) {
    for (let from = 0; from < 9; from++) {
      for (let length = 0; from + length <= 60; length++) {
        const text = source.slice(from, from + length);
        const bytes = new TextEncoder().encode(`xx${text}xx`);
        for (let round = 0; round < 2; round++) strictEqual(readText(bytes, 2, bytes.length - 2), text);
      }
    }
  }
});
