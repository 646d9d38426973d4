import { deepStrictEqual, throws } from "node:assert/strict";
import { seededRandom } from "../../base/mod.ts";
import type { Document } from "../../bson/mod.ts";
import { NO_COLLECTIONS } from "../collections.ts";
import { ArraySource } from "../array_source.ts";
import { execute } from "../execute.ts";
import { parsePipeline } from "../parse.ts";
import { collectRows } from "../rows.ts";
import { documentOf, plainOf, type PlainRecord, testContext } from "../test_collection.ts";

const at = (second: number) => new Date(second * 1000);

interface Event {
  readonly second: number;
  readonly key: string;
}

const SHAPE = { kind: "timeseries", timeField: "t", metaField: "m" } as const;

function sourceOf(events: readonly Event[]): ArraySource {
  const rows: Document[] = events.map(({ second, key }, n) => documentOf({ t: at(second), m: key, n }));
  return new ArraySource(rows, SHAPE);
}

/** For each local row, in order of time, the number of the foreign row that it gets. */
async function joined(
  local: readonly Event[],
  foreign: readonly Event[],
  options: PlainRecord,
): Promise<[number, number | undefined][]> {
  const context = {
    ...testContext(),
    collections: { ...NO_COLLECTIONS, open: () => ({ source: sourceOf(foreign), stages: [] }) },
  };
  const pipeline = parsePipeline([documentOf({ $asofJoin: { from: "f", on: "$t", by: "$m", ...options } })]);
  const rows = await collectRows(execute(pipeline, sourceOf(local), context));
  return rows.map((row) => {
    const plain = plainOf(row) as { n: number; f?: { n: number } };
    return [plain.n, plain.f?.n];
  });
}

/** The same by a look at all pairs. */
function expected(
  local: readonly Event[],
  foreign: readonly Event[],
  direction: string,
  tolerance: number,
): [number, number | undefined][] {
  const order = (events: readonly Event[]) =>
    events.map((event, n) => ({ ...event, n })).sort((a, b) => a.second - b.second);
  const others = order(foreign);
  return order(local).map(({ second, key, n }) => {
    const near = others.filter((other) => other.key === key && Math.abs(other.second - second) <= tolerance);
    const before = near.findLast((other) => other.second <= second);
    const behind = direction === "forward"
      ? near.find((other) => other.second >= second)
      : near.find((other) => other.second > second);
    if (direction === "backward") return [n, before?.n];
    if (direction === "forward") return [n, behind?.n];
    const isBefore = behind === undefined ||
      (before !== undefined && second - before.second <= behind.second - second);
    return [n, isBefore ? before?.n : behind.n];
  });
}

Deno.test("every direction and tolerance gives what a look at all pairs gives", async () => {
  const random = seededRandom(3);
  for (let round = 0; round < 60; round++) {
    const events = (count: number, span: number): Event[] =>
      Array.from({ length: count }, () => ({
        second: Math.floor(random() * span),
        key: "abc"[Math.floor(random() * 3)]!,
      }));
    const span = round % 2 === 0 ? 30 : 3000;
    const local = events(Math.floor(random() * 700), span);
    const foreign = events(Math.floor(random() * 700), span);
    for (const direction of ["backward", "forward", "nearest"]) {
      for (const tolerance of [undefined, 4]) {
        const options = { direction, ...(tolerance === undefined ? {} : { tolerance: `${tolerance}s` }) };
        deepStrictEqual(
          await joined(local, foreign, options),
          expected(local, foreign, direction, tolerance ?? Infinity),
          `round ${round}: ${JSON.stringify(options)}`,
        );
      }
    }
  }
});

Deno.test("a malformed specification says what is wrong", () => {
  const good = { from: "f", on: "$t" };
  const cases: readonly [PlainRecord | number, string][] = [
    [1, "the $asofJoin stage specification must be an object, found int"],
    [{}, "$asofJoin requires 'from'"],
    [{ from: 1 }, "$asofJoin requires 'from' to be a name, found from: 1"],
    [{ from: "f" }, "$asofJoin requires 'on'"],
    [{ ...good, on: "t" }, `$asofJoin requires 'on' to be a field such as "$timestamp", found on: "t"`],
    [
      { ...good, on: { local: "$t" } },
      "$asofJoin requires 'on' to have 'local' and 'foreign', or to be the same for both",
    ],
    [
      { ...good, direction: "up" },
      `$asofJoin requires 'direction' to be one of backward, forward, nearest, found direction: "up"`,
    ],
    [
      { ...good, within: 1 },
      "unrecognized option to $asofJoin: 'within'; there are from, on, by, tolerance, direction, pipeline, as",
    ],
  ];
  for (const [spec, message] of cases) {
    throws(() => parsePipeline([documentOf({ $asofJoin: spec })]), { code: 9, message });
  }
});
