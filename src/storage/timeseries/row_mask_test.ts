import assert from "node:assert/strict";
import { PAGE_ROWS, type Random, seededRandom } from "../../base/mod.ts";
import { MemoryDisk } from "../../io/mod.ts";
import { readMaskFile, writeMaskFile } from "./mask_file.ts";
import { maskWithout, type RowMask, RowMaskBuilder } from "./row_mask.ts";

const ROWS = 3 * PAGE_ROWS + 100;

/** Random ranges, and the same as a set. */
function randomMask(random: Random, base?: RowMask): { mask: RowMask | undefined; rows: Set<number> } {
  const builder = new RowMaskBuilder(base);
  const rows = new Set<number>();
  base?.forEach((row) => rows.add(row));
  for (let i = 0; i < 12; i++) {
    const first = Math.floor(random() * ROWS);
    const end = Math.min(ROWS, first + 1 + Math.floor(random() ** 4 * 6000));
    builder.addRange(first, end);
    for (let row = first; row < end; row++) rows.add(row);
  }
  return { mask: builder.build(), rows };
}

function rowsOf(mask: RowMask | undefined): number[] {
  const rows: number[] = [];
  mask?.forEach((row) => rows.push(row));
  return rows;
}

const ascending = (rows: Iterable<number>) => [...rows].sort((a, b) => a - b);

Deno.test("a mask holds the rows of a set, and finds the next that are gone or left", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = seededRandom(seed);
    const { mask, rows } = randomMask(random);
    assert.deepEqual(rowsOf(mask), ascending(rows));
    assert.equal(mask!.count, rows.size);
    for (let i = 0; i < 50; i++) {
      const row = Math.floor(random() * ROWS);
      assert.equal(mask!.has(row), rows.has(row));
      let [gone, left] = [row, row];
      while (gone < ROWS && !rows.has(gone)) gone++;
      while (left < ROWS && rows.has(left)) left++;
      assert.deepEqual([mask!.nextGone(row, ROWS), mask!.nextLeft(row, ROWS)], [gone, left]);
    }
  }
});

Deno.test("a change makes another mask, and leaves the one before as it was", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = seededRandom(seed);
    const before = randomMask(random);
    const after = randomMask(random, before.mask);
    assert.deepEqual(rowsOf(before.mask), ascending(before.rows));
    assert.deepEqual(rowsOf(after.mask), ascending(after.rows));
    const added = [...after.rows].filter((row) => !before.rows.has(row));
    assert.deepEqual(rowsOf(maskWithout(after.mask, before.mask)), ascending(added));
    const builder = new RowMaskBuilder(before.mask);
    assert.equal(builder.build(), before.mask);
    builder.addAll(after.mask!);
    assert.deepEqual(rowsOf(builder.build()), ascending(after.rows));
  }
});

Deno.test("nothing without anything is nothing", () => {
  const { mask } = randomMask(seededRandom(1));
  assert.equal(maskWithout(undefined, mask), undefined);
  assert.equal(maskWithout(mask, undefined), mask);
  assert.equal(maskWithout(mask, mask), undefined);
  assert.equal(new RowMaskBuilder(undefined).build(), undefined);
});

Deno.test("masks come back from their file", async () => {
  const disk = new MemoryDisk();
  disk.makeDirectory("m");
  const random = seededRandom(7);
  const masks = [randomMask(random), randomMask(random), randomMask(random)].map(({ mask }) => mask!);
  const segments = new Map([[3, new Map([[16, masks[0]!], [5000, masks[1]!]])], [
    9,
    new Map([[16, masks[2]!]]),
  ]]);
  await writeMaskFile(disk, "m/1.mask", segments);
  const read = readMaskFile(disk, "m/1.mask");
  assert.deepEqual([...read.keys()], [3, 9]);
  assert.deepEqual(rowsOf(read.get(3)!.get(16)), rowsOf(masks[0]));
  assert.deepEqual(rowsOf(read.get(3)!.get(5000)), rowsOf(masks[1]));
  assert.deepEqual(rowsOf(read.get(9)!.get(16)), rowsOf(masks[2]));
  assert.equal(read.get(9)!.get(16)!.count, masks[2]!.count);
});
