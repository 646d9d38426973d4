import assert from "node:assert/strict";
import { type Bounds, selectNumbers } from "./select_numbers.ts";

const COUNT = 1000;
const NUMBERS = [-1e9, -40_000, -129, -128, -127.5, -3, -0.5, 0, 0.5, 2, 100, 127, 128, 1e9, NaN];

function* allBounds(): Generator<Bounds> {
  for (const number of NUMBERS) {
    yield { least: number, greatest: number, excluded: NaN };
    yield { least: -Infinity, greatest: number, excluded: number };
    yield { least: -Infinity, greatest: number, excluded: NaN };
    yield { least: number, greatest: Infinity, excluded: number };
    yield { least: number, greatest: Infinity, excluded: NaN };
  }
}

Deno.test("what is selected lies between the bounds, whatever array the numbers are in", () => {
  const values = Array.from({ length: COUNT }, (_, i) => (i * 7919) % 256 - 128);
  const memory = new ArrayBuffer(COUNT + 8);
  const arrays = [
    Int8Array.from(values),
    new Int8Array(memory, 4, COUNT),
    new Int8Array(memory, 3, COUNT),
    Int16Array.from(values, (value) => value * 300),
    Int32Array.from(values, (value) => value * 8_000_000),
    Float64Array.from(values, (value, i) => i % 9 === 0 ? NaN : value / 2),
  ];
  arrays[1]!.set(values);
  const out = new Int32Array(COUNT + 1);
  for (const numbers of arrays) {
    for (
      const [from, to] of [[0, COUNT], [1, COUNT], [3, 3], [5, 7], [6, 13], [8, 12], [17, COUNT - 3]] as const
    ) {
      for (const bounds of allBounds()) {
        const count = selectNumbers(numbers, { from, to }, bounds, out);
        const expected: number[] = [];
        for (let place = from; place < to; place++) {
          const value = numbers[place]!;
          if (value >= bounds.least && value <= bounds.greatest && value !== bounds.excluded) {
            expected.push(place);
          }
        }
        assert.deepEqual(
          [...out.subarray(0, count)],
          expected,
          `${numbers.constructor.name} ${JSON.stringify(bounds)}`,
        );
      }
    }
  }
});
