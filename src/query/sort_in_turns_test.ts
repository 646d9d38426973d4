import assert from "node:assert/strict";
import { seededRandom } from "../base/mod.ts";
import { sortInTurns } from "./sort_in_turns.ts";

Deno.test("it sorts as Array's sort does, equal items in their order, whatever the length", async () => {
  const random = seededRandom(5);
  for (const length of [0, 1, 2, 1023, 1024, 1025, 2048, 2049, 5000, 20_000]) {
    const items = Array.from({ length }, (_, place) => ({ key: Math.floor(random() * 100), place }));
    const expected = items.toSorted((a, b) => a.key - b.key);
    let pauses = 0;
    const pause = () => {
      pauses++;
      return Promise.resolve();
    };
    assert.deepEqual(await sortInTurns(items, (a, b) => a.key - b.key, pause), expected);
    assert.ok(length <= 1024 || pauses >= length / 1024);
  }
});
