import assert from "node:assert/strict";
import { seededRandom } from "../../../base/mod.ts";
import { maximumOfBytes, minimumOfBytes, sumOfBytes } from "./byte_lanes.ts";

const LENGTH = 5000;

Deno.test("four bytes at a time give what one at a time gives", () => {
  const random = seededRandom(7);
  const below = (count: number) => Math.floor(random() * count);
  for (const [least, greatest] of [[-128, 127], [0, 100], [-128, -128], [127, 127], [-1, 0], [-128, -100]]) {
    const bytes = Int8Array.from({ length: LENGTH }, () => least! + below(greatest! - least! + 1));
    const words = new Int32Array(bytes.buffer);
    for (let round = 0; round < 500; round++) {
      const from = below(LENGTH);
      const to = round === 0 ? LENGTH : Math.min(LENGTH, from + 1 + below(round < 400 ? 20 : LENGTH));
      const own = bytes.subarray(from, to);
      assert.equal(sumOfBytes(bytes, words, from, to), own.reduce((sum, byte) => sum + byte, 0));
      assert.equal(maximumOfBytes(bytes, words, from, to), Math.max(...own));
      assert.equal(minimumOfBytes(bytes, words, from, to), Math.min(...own));
    }
  }
});

Deno.test("all bytes of a long array are the least or the greatest", () => {
  for (const byte of [-128, 127]) {
    const bytes = new Int8Array(LENGTH).fill(byte);
    const words = new Int32Array(bytes.buffer);
    assert.equal(sumOfBytes(bytes, words, 0, LENGTH), byte * LENGTH);
    assert.equal(maximumOfBytes(bytes, words, 0, LENGTH), byte);
    assert.equal(minimumOfBytes(bytes, words, 0, LENGTH), byte);
  }
});
