import assert from "node:assert/strict";
import { IndexUses } from "./index_uses.ts";

const by = (name: string) => ({ name, ranges: [], backward: false, repeats: false });

Deno.test("scans count for each index that they go by, until it is forgotten", () => {
  const uses = new IndexUses();
  for (
    const order of [{}, { ids: [1] }, { index: by("a") }, { union: [by("a"), by("b")] }, { backward: true }]
  ) {
    uses.note(1, order);
  }
  uses.note(2, { index: by("a") });
  assert.deepEqual([...uses.of(1)], [["_id_", 1], ["a", 2], ["b", 1]]);
  uses.forget(1, ["a"]);
  assert.deepEqual([...uses.of(1)], [["_id_", 1], ["b", 1]]);
  uses.forget(1);
  assert.deepEqual([[...uses.of(1)], [...uses.of(2)]], [[], [["a", 1]]]);
});
