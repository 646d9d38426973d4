import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { seededRandom } from "../../base/mod.ts";
import { SeriesSet } from "./series_set.ts";

const random = seededRandom(7);
const below = (limit: number) => Math.floor(random() * limit);

/** What a set has, found series by series. */
function membersOf(set: SeriesSet): number[] {
  const members: number[] = [];
  for (let series = set.next(0); series < Infinity; series = set.next(series + 1)) members.push(series);
  return members;
}

function check(set: SeriesSet, expected: ReadonlySet<number>): void {
  const members = [...expected].sort((a, b) => a - b);
  deepStrictEqual(membersOf(set), members);
  strictEqual(set.isEmpty, members.length === 0);
  strictEqual(set.hasAtLeast(members.length), true);
  strictEqual(set.hasAtLeast(members.length + 1), false);
  for (let series = 0; series < set.limit + 9; series++) {
    strictEqual(set.has(series), expected.has(series));
    strictEqual(set.next(series), members.find((member) => member >= series) ?? Infinity);
  }
}

Deno.test("a set of series has what was added and not taken away, be they few or many", () => {
  for (let round = 0; round < 100; round++) {
    const limit = below(300);
    const set = new SeriesSet(limit);
    const expected = new Set<number>();
    for (let step = below(200); step > 0; step--) {
      const series = below(limit + 5);
      if (random() < 0.2) {
        set.delete(series);
        expected.delete(series);
      } else {
        set.add(series);
        if (series < limit) expected.add(series);
      }
    }
    check(set, expected);
    const from = below(limit + 5);
    set.addFrom(from);
    for (let series = from; series < limit; series++) expected.add(series);
    check(set, expected);
  }
});

Deno.test("sets of series are intersected and united, be they few or many", () => {
  for (let round = 0; round < 100; round++) {
    const limit = below(300);
    const some = () => Array.from({ length: below(random() < 0.5 ? 20 : 400) }, () => below(limit));
    const [left, right] = [some(), some()].map((series) => new Set(limit === 0 ? [] : series)) as [
      Set<number>,
      Set<number>,
    ];
    const common = SeriesSet.of(left, limit);
    common.intersect(SeriesSet.of(right, limit));
    check(common, left.intersection(right));
    const both = SeriesSet.of(left, limit);
    both.unite(SeriesSet.of(right, limit));
    check(both, left.union(right));
  }
  check(SeriesSet.all(100), new Set(Array.from({ length: 100 }, (_, i) => i)));
});
