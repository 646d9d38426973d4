import assert from "node:assert/strict";
import { grownBytes, grownDoubles, grownInt32s, newBytes, newDoubles, newInt32s } from "./small_arrays.ts";

Deno.test("arrays are zero, and share nothing, whatever their sizes", () => {
  const arrays = Array.from({ length: 3000 }, (_, i) => {
    const length = (i * 7) % 300;
    const array = i % 3 === 0 ? newDoubles(length) : i % 3 === 1 ? newInt32s(length) : newBytes(length);
    assert.equal(array.length, length);
    assert.ok(array.every((value) => value === 0), `array ${i}`);
    return array.fill(i % 251);
  });
  arrays.forEach((array, i) => assert.ok(array.every((value) => value === i % 251), `array ${i}`));
});

Deno.test("a grown array has the same beginning, and zeros behind it", () => {
  assert.deepEqual([...grownDoubles(newDoubles(2).fill(0.5), 4)], [0.5, 0.5, 0, 0]);
  assert.deepEqual([...grownInt32s(newInt32s(1).fill(-1), 3)], [-1, 0, 0]);
  assert.deepEqual([...grownBytes(newBytes(0), 2)], [0, 0]);
});
