import assert from "node:assert/strict";
import { viewOf } from "../../column/mod.ts";
import { SeriesIndex } from "./series_index.ts";

Deno.test("without a meta there is one series of its own", () => {
  const index = new SeriesIndex();
  const nothing = viewOf(new Uint8Array(0));
  assert.equal(index.numberOf(10, nothing, 0, 0), 0);
  assert.equal(index.numberOf(0, nothing, 0, 0), 1);
  assert.equal(index.metaOf(0), null);
  assert.equal(index.metaOf(1), undefined);
});
