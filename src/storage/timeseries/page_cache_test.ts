import assert from "node:assert/strict";
import { MemoryBudget } from "../../base/mod.ts";
import { PageCache } from "./page_cache.ts";

const PAGE_BYTES = 100;

/** Asks for a page; says whether it had to be made. */
function isMade(cache: PageCache, file: number, offset: number): boolean {
  let made = false;
  cache.get(file, offset, () => {
    made = true;
    return { value: {}, sizeBytes: PAGE_BYTES };
  });
  return made;
}

Deno.test("what was used since it was looked at last stays, the rest goes by age", () => {
  const cache = new PageCache(new MemoryBudget(1e6), () => 3 * PAGE_BYTES);
  for (const offset of [1, 2, 3]) assert.ok(isMade(cache, 1, offset));
  assert.ok(!isMade(cache, 1, 1));
  assert.ok(isMade(cache, 1, 4));
  assert.equal(cache.sizeBytes, 3 * PAGE_BYTES);
  assert.ok(!isMade(cache, 1, 1), "the page that was used stayed");
  assert.ok(isMade(cache, 1, 2), "the oldest unused one went");
});

Deno.test("a file is forgotten with all its pages", () => {
  const cache = new PageCache(new MemoryBudget(1e6), () => 10 * PAGE_BYTES);
  isMade(cache, 1, 5);
  isMade(cache, 2, 5);
  cache.forget(1);
  assert.equal(cache.sizeBytes, PAGE_BYTES);
  assert.ok(isMade(cache, 1, 5) && !isMade(cache, 2, 5));
});
