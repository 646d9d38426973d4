import { strictEqual } from "node:assert/strict";
import { TextNumbers } from "./text_numbers.ts";

Deno.test("texts have the numbers of their arrival, again and again", () => {
  const numbers = new TextNumbers();
  const texts = Array.from({ length: 5000 }, (_, i) => `host_${i * 7919 % 10007}`);
  for (let round = 0; round < 2; round++) {
    texts.forEach((text, i) => strictEqual(numbers.numberOf(text), i));
  }
  strictEqual(numbers.size, texts.length);
  strictEqual(numbers.numberOf(""), texts.length);
});

Deno.test("texts of one hash have their numbers, too", () => {
  const numbers = new TextNumbers((text) => text.length);
  const texts = Array.from({ length: 500 }, (_, i) => `host_${i}`);
  for (let round = 0; round < 2; round++) {
    texts.forEach((text, i) => strictEqual(numbers.numberOf(text), i));
  }
});
