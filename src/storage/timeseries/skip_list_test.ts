import assert from "node:assert/strict";
import { seededRandom } from "../../base/mod.ts";
import { MemoryAccount } from "../../column/mod.ts";
import { NO_NODE, SkipList } from "./skip_list.ts";

type Key = readonly [series: number, time: number, ordinal: number];

function compareKeys(a: Key, b: Key): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

function keyOf(list: SkipList, node: number): Key {
  return [list.seriesOf(node), list.timeOf(node), list.ordinalOf(node)];
}

function walk(list: SkipList, step: "after" | "before"): Key[] {
  const keys: Key[] = [];
  for (let node = list[step](NO_NODE); node !== NO_NODE; node = list[step](node)) {
    keys.push(keyOf(list, node));
  }
  return keys;
}

Deno.test("a skip list holds what sorting gives, in both directions, after every order of insertion", () => {
  for (let seed = 0; seed < 40; seed++) {
    const random = seededRandom(seed);
    const count = Math.floor(random() * 400);
    const spread = seed % 4 === 0 ? 3 : 1e13;
    const keys: Key[] = Array.from({ length: count }, (_, ordinal) => [
      Math.floor(random() * (seed % 5 + 1)),
      seed % 3 === 0 ? -ordinal : Math.floor((random() - 0.5) * spread),
      ordinal,
    ]);
    const list = new SkipList(new MemoryAccount());
    for (const [series, time, ordinal] of keys) list.insert(series, time, ordinal);
    const sorted = keys.toSorted(compareKeys);
    assert.equal(list.length, count);
    assert.deepEqual(walk(list, "after"), sorted);
    assert.deepEqual(walk(list, "before"), sorted.toReversed());
  }
});

Deno.test("seek finds the first row at or after a place", () => {
  const random = seededRandom(99);
  const list = new SkipList(new MemoryAccount());
  const keys: Key[] = [];
  for (let ordinal = 0; ordinal < 300; ordinal++) {
    const key: Key = [Math.floor(random() * 4), Math.floor(random() * 50), ordinal];
    keys.push(key);
    list.insert(...key);
    const asked: Key = [Math.floor(random() * 5), Math.floor(random() * 60) - 5, Math.floor(random() * 300)];
    const node = list.seek(...asked);
    const expected = keys.toSorted(compareKeys).find((other) => compareKeys(other, asked) >= 0);
    assert.deepEqual(node === NO_NODE ? undefined : keyOf(list, node), expected);
  }
});

Deno.test("a reader that stands on a row goes on after insertions", () => {
  const list = new SkipList(new MemoryAccount());
  for (let time = 0; time < 100; time += 10) list.insert(1, time, time);
  let node = list.seek(1, 50, 0);
  for (let time = 1; time < 100; time += 10) list.insert(1, time, 1000 + time);
  const times: number[] = [];
  for (; node !== NO_NODE; node = list.after(node)) times.push(list.timeOf(node));
  assert.deepEqual(times, [50, 51, 60, 61, 70, 71, 80, 81, 90, 91]);
});

Deno.test("the memory of a skip list is accounted for as it grows", () => {
  const account = new MemoryAccount();
  const list = new SkipList(account);
  const before = account.bytes;
  for (let i = 0; i < 10_000; i++) list.insert(0, -i, i);
  assert.ok(account.bytes - before > 10_000 * 24 && account.bytes - before < 10_000 * 80);
});

Deno.test("empty skip lists share what they have, and a row in one is in no other", () => {
  const account = new MemoryAccount();
  const [one, other] = [new SkipList(account), new SkipList(account)];
  assert.equal(account.bytes, 0);
  for (let ordinal = 0; ordinal < 50; ordinal++) one.insert(1, -ordinal, ordinal);
  assert.ok(account.bytes > 0);
  assert.deepEqual(walk(other, "after"), []);
  assert.deepEqual(walk(other, "before"), []);
  assert.equal(other.seek(0, 0, 0), NO_NODE);
});
