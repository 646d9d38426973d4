import assert from "node:assert/strict";
import { SeqSet } from "./seq_set.ts";

Deno.test("each place is new once, however far apart places are", () => {
  const set = new SeqSet();
  const places = [1, 2, 7, 8, 32_767, 32_768, 3_000_000_000, 2 ** 52];
  for (const place of places) assert.ok(set.add(place), `${place} is new`);
  for (const place of places) assert.ok(!set.add(place), `${place} is not`);
  assert.ok(set.add(9));
});
