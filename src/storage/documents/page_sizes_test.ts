import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { PageSizes } from "./page_sizes.ts";

const LARGE_BYTES = 100 * 1024 * 1024;

function withTable(test: (sizes: PageSizes, grow: () => void) => void): void {
  using database = new DatabaseSync(":memory:");
  database.exec("CREATE TABLE t (doc BLOB)");
  const grow = () => database.exec("INSERT INTO t VALUES (zeroblob(100000))");
  grow();
  test(new PageSizes(database), grow);
}

Deno.test("a small collection is looked at each time", () => {
  withTable((sizes, grow) => {
    const before = sizes.of(1, "t", 1000);
    assert.ok(before > 100_000);
    grow();
    assert.ok(sizes.of(1, "t", 1001) > before + 90_000);
    assert.equal(sizes.of(1, "none", 1000), 0);
  });
});

Deno.test("a large one is taken to change as its documents do, until that is much", () => {
  withTable((sizes, grow) => {
    const before = sizes.of(1, "t", LARGE_BYTES);
    grow();
    assert.equal(sizes.of(1, "t", LARGE_BYTES), before);
    assert.equal(sizes.of(1, "t", LARGE_BYTES * 1.05), Math.round(before * 1.05));
    const now = sizes.of(1, "t", LARGE_BYTES * 1.2);
    assert.ok(now > before + 90_000);
    sizes.forget(1);
    assert.equal(sizes.of(1, "t", LARGE_BYTES), now);
  });
});
