import { strictEqual } from "node:assert/strict";
import { seededRandom } from "../../base/mod.ts";
import { nextMarked } from "./series_marks.ts";

Deno.test("the next marked series is the one that a look at each finds", () => {
  const random = seededRandom(7);
  const below = (limit: number) => Math.floor(random() * limit);
  for (let round = 0; round < 200; round++) {
    const count = below(70);
    const marks = new Uint8Array(new ArrayBuffer(96), below(20), count);
    for (let left = below(4); left > 0; left--) if (count > 0) marks[below(count)] = 1;
    for (let from = 0; from <= count + 9; from++) {
      const found = marks.indexOf(1, from);
      strictEqual(nextMarked(marks, from), found < 0 ? count : found);
    }
  }
});
