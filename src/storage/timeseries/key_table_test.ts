import assert from "node:assert/strict";
import { seededRandom } from "../../base/mod.ts";
import { viewOf } from "../../column/mod.ts";
import { KeyTable } from "./key_table.ts";

Deno.test("keys get numbers in order of arrival and keep their bytes", () => {
  const random = seededRandom(1);
  const index = new KeyTable();
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
  assert.equal(index.valueBytes(), sizeBytes);
});

Deno.test("a key that follows another is found again in any order", () => {
  const index = new KeyTable();
  const metas = Array.from({ length: 50 }, (_, i) => viewOf(new TextEncoder().encode(`host_${i}`)));
  const order = [...metas.keys(), ...metas.keys(), ...[...metas.keys()].reverse()];
  for (const i of order) assert.equal(index.numberOf(2, metas[i]!, 0, metas[i]!.byteLength), i);
});

Deno.test("keys added all at once are found as if they had come one by one", () => {
  const values = Array.from({ length: 3000 }, (_, i) => new TextEncoder().encode(`${"x".repeat(i % 7)}${i}`));
  const table = new KeyTable();
  for (const [first, end] of [[0, 1], [1, 1000], [1000, 1000], [1000, 3000]] as const) {
    const part = values.slice(first, end);
    const bytes = new Uint8Array(part.flatMap((value) => [...value]));
    const types = Float64Array.from(part, (_, i) => (first + i) % 3);
    table.addAll(types, Float64Array.from(part, (value) => value.length), bytes);
  }
  assert.equal(table.size, values.length);
  for (const [i, value] of values.entries()) {
    assert.equal(table.find(i % 3, viewOf(value), 0, value.length), i);
    assert.equal(table.find((i + 1) % 3, viewOf(value), 0, value.length), -1);
    assert.equal(table.numberOf(i % 3, viewOf(value), 0, value.length), i);
  }
});

Deno.test("an empty table has no key and holds nothing", () => {
  const table = new KeyTable();
  assert.equal(table.find(2, viewOf(new Uint8Array(3)), 0, 3), -1);
  assert.equal(table.memoryBytes, 0);
  assert.equal(table.valueBytes(), 0);
});
