import assert from "node:assert/strict";
import { seededRandom } from "../../base/mod.ts";
import { viewOf } from "../../column/mod.ts";
import { SeriesIndex } from "./series_index.ts";

Deno.test("series get numbers in order of arrival and keep their bytes", () => {
  const random = seededRandom(1);
  const index = new SeriesIndex();
  const numbers = new Map<string, number>();
  for (let step = 0; step < 20_000; step++) {
    const type = Math.floor(random() * 3);
    const bytes = Uint8Array.from({ length: Math.floor(random() * 6) }, () => random() * 4);
    const around = Uint8Array.of(7, 7, 7, ...bytes, 7, 7);
    const key = `${type}:${bytes}`;
    const known = numbers.get(key);
    assert.equal(index.find(type, viewOf(around), 3, 3 + bytes.length), known ?? -1);
    const number = index.numberOf(type, viewOf(around), 3, 3 + bytes.length);
    assert.equal(number, known ?? numbers.size);
    numbers.set(key, number);
  }
  assert.equal(index.size, numbers.size);
  let sizeBytes = 0;
  for (const [key, number] of numbers) {
    assert.equal(`${index.typeOf(number)}:${index.bytesOf(number)}`, key);
    sizeBytes += index.bytesOf(number).length;
  }
  assert.equal(index.metaBytes(), sizeBytes);
});

Deno.test("a series that follows another is found again in any order", () => {
  const index = new SeriesIndex();
  const metas = Array.from({ length: 50 }, (_, i) => viewOf(new TextEncoder().encode(`host_${i}`)));
  const order = [...metas.keys(), ...metas.keys(), ...[...metas.keys()].reverse()];
  for (const i of order) assert.equal(index.numberOf(2, metas[i]!, 0, metas[i]!.byteLength), i);
});

Deno.test("without a meta there is one series of its own", () => {
  const index = new SeriesIndex();
  const nothing = viewOf(new Uint8Array(0));
  assert.equal(index.numberOf(10, nothing, 0, 0), 0);
  assert.equal(index.numberOf(0, nothing, 0, 0), 1);
  assert.equal(index.metaOf(0), null);
  assert.equal(index.metaOf(1), undefined);
});
