import { deepStrictEqual, rejects, throws } from "node:assert/strict";
import { CommandError } from "../../base/mod.ts";
import { parsePipeline } from "../parse.ts";
import { aggregate, documentOf, type PlainRecord, timeseriesOf } from "../test_collection.ts";

const HOUR_MS = 3_600_000;

/** The numbers of the rows below. Some stand around changes of the clock in Berlin and New York. */
const TIMES = [
  "2024-01-01T00:00:00Z",
  "2024-02-29T23:59:59.999Z",
  "2024-03-10T06:30:00Z",
  "2024-03-31T00:59:59Z",
  "2024-03-31T01:00:00Z",
  "2024-10-27T00:30:00Z",
  "2024-10-27T01:30:00Z",
  "2024-12-31T23:00:00Z",
  "1969-12-31T23:59:59.999Z",
  "2000-01-01T00:00:00Z",
];

/** Options, and each window's start with the rows in it: MongoDB 6.0.5's $dateTrunc with the same unit and binSize. */
const GRIDS: readonly [PlainRecord, readonly string[]][] = [
  [{ window: "250ms" }, [
    "1969-12-31T23:59:59.750Z 8",
    "2000-01-01T00:00:00Z 9",
    "2024-01-01T00:00:00Z 0",
    "2024-02-29T23:59:59.750Z 1",
    "2024-03-10T06:30:00Z 2",
    "2024-03-31T00:59:59Z 3",
    "2024-03-31T01:00:00Z 4",
    "2024-10-27T00:30:00Z 5",
    "2024-10-27T01:30:00Z 6",
    "2024-12-31T23:00:00Z 7",
  ]],
  [{ window: "7s" }, [
    "1969-12-31T23:59:58Z 8",
    "2000-01-01T00:00:00Z 9",
    "2023-12-31T23:59:55Z 0",
    "2024-02-29T23:59:59Z 1",
    "2024-03-10T06:29:55Z 2",
    "2024-03-31T00:59:59Z 3 4",
    "2024-10-27T00:30:00Z 5",
    "2024-10-27T01:29:58Z 6",
    "2024-12-31T22:59:59Z 7",
  ]],
  [{ window: "15m" }, [
    "1969-12-31T23:45:00Z 8",
    "2000-01-01T00:00:00Z 9",
    "2024-01-01T00:00:00Z 0",
    "2024-02-29T23:45:00Z 1",
    "2024-03-10T06:30:00Z 2",
    "2024-03-31T00:45:00Z 3",
    "2024-03-31T01:00:00Z 4",
    "2024-10-27T00:30:00Z 5",
    "2024-10-27T01:30:00Z 6",
    "2024-12-31T23:00:00Z 7",
  ]],
  [{ window: "1h" }, [
    "1969-12-31T23:00:00Z 8",
    "2000-01-01T00:00:00Z 9",
    "2024-01-01T00:00:00Z 0",
    "2024-02-29T23:00:00Z 1",
    "2024-03-10T06:00:00Z 2",
    "2024-03-31T00:00:00Z 3",
    "2024-03-31T01:00:00Z 4",
    "2024-10-27T00:00:00Z 5",
    "2024-10-27T01:00:00Z 6",
    "2024-12-31T23:00:00Z 7",
  ]],
  [{ window: "5h", timezone: "Europe/Berlin" }, [
    "1969-12-31T21:00:00Z 8",
    "1999-12-31T23:00:00Z 9",
    "2024-01-01T00:00:00Z 0",
    "2024-02-29T19:00:00Z 1",
    "2024-03-10T04:00:00Z 2",
    "2024-03-31T00:00:00Z 3 4",
    "2024-10-27T00:00:00Z 5 6",
    "2024-12-31T20:00:00Z 7",
  ]],
  [{ window: "1d" }, [
    "1969-12-31T00:00:00Z 8",
    "2000-01-01T00:00:00Z 9",
    "2024-01-01T00:00:00Z 0",
    "2024-02-29T00:00:00Z 1",
    "2024-03-10T00:00:00Z 2",
    "2024-03-31T00:00:00Z 3 4",
    "2024-10-27T00:00:00Z 5 6",
    "2024-12-31T00:00:00Z 7",
  ]],
  [{ window: "1d", timezone: "America/New_York" }, [
    "1969-12-31T05:00:00Z 8",
    "1999-12-31T05:00:00Z 9",
    "2023-12-31T05:00:00Z 0",
    "2024-02-29T05:00:00Z 1",
    "2024-03-10T05:00:00Z 2",
    "2024-03-30T04:00:00Z 3 4",
    "2024-10-26T04:00:00Z 5 6",
    "2024-12-31T05:00:00Z 7",
  ]],
  [{ window: "3d", timezone: "Europe/Berlin" }, [
    "1969-12-29T23:00:00Z 8",
    "1999-12-31T23:00:00Z 9",
    "2023-12-31T23:00:00Z 0",
    "2024-02-29T23:00:00Z 1",
    "2024-03-09T23:00:00Z 2",
    "2024-03-30T23:00:00Z 3 4",
    "2024-10-26T22:00:00Z 5 6",
    "2024-12-31T23:00:00Z 7",
  ]],
  [{ window: "1w" }, [
    "1969-12-28T00:00:00Z 8",
    "1999-12-26T00:00:00Z 9",
    "2023-12-31T00:00:00Z 0",
    "2024-02-25T00:00:00Z 1",
    "2024-03-10T00:00:00Z 2",
    "2024-03-31T00:00:00Z 3 4",
    "2024-10-27T00:00:00Z 5 6",
    "2024-12-29T00:00:00Z 7",
  ]],
  [{ window: "2w", timezone: "UTC", startOfWeek: "monday" }, [
    "1969-12-29T00:00:00Z 8",
    "1999-12-20T00:00:00Z 9",
    "2024-01-01T00:00:00Z 0",
    "2024-02-26T00:00:00Z 1 2",
    "2024-03-25T00:00:00Z 3 4",
    "2024-10-21T00:00:00Z 5 6",
    "2024-12-30T00:00:00Z 7",
  ]],
  [{ window: "1w", timezone: "Asia/Kolkata", startOfWeek: "thursday" }, [
    "1969-12-31T18:30:00Z 8",
    "1999-12-29T18:30:00Z 9",
    "2023-12-27T18:30:00Z 0",
    "2024-02-28T18:30:00Z 1",
    "2024-03-06T18:30:00Z 2",
    "2024-03-27T18:30:00Z 3 4",
    "2024-10-23T18:30:00Z 5 6",
    "2024-12-25T18:30:00Z 7",
  ]],
  [{ window: "1mo" }, [
    "1969-12-01T00:00:00Z 8",
    "2000-01-01T00:00:00Z 9",
    "2024-01-01T00:00:00Z 0",
    "2024-02-01T00:00:00Z 1",
    "2024-03-01T00:00:00Z 2 3 4",
    "2024-10-01T00:00:00Z 5 6",
    "2024-12-01T00:00:00Z 7",
  ]],
  [{ window: "5mo", timezone: "Europe/Berlin" }, [
    "1969-12-31T23:00:00Z 8",
    "1999-12-31T23:00:00Z 9",
    "2023-09-30T22:00:00Z 0",
    "2024-02-29T23:00:00Z 1 2 3 4",
    "2024-07-31T22:00:00Z 5 6",
    "2024-12-31T23:00:00Z 7",
  ]],
  [{ window: "1q" }, [
    "1969-10-01T00:00:00Z 8",
    "2000-01-01T00:00:00Z 9",
    "2024-01-01T00:00:00Z 0 1 2 3 4",
    "2024-10-01T00:00:00Z 5 6 7",
  ]],
  [{ window: "1y" }, [
    "1969-01-01T00:00:00Z 8",
    "2000-01-01T00:00:00Z 9",
    "2024-01-01T00:00:00Z 0 1 2 3 4 5 6 7",
  ]],
  [{ window: "10y", timezone: "+05:30" }, [
    "1969-12-31T18:30:00Z 8",
    "1999-12-31T18:30:00Z 9",
    "2019-12-31T18:30:00Z 0 1 2 3 4 5 6 7",
  ]],
];

async function windows(times: readonly string[], options: PlainRecord): Promise<string[]> {
  const source = timeseriesOf(times.map((time, n) => ({ t: new Date(time), n })));
  const rows = await aggregate(source, [
    { $timeWindow: { timestamp: "$t", output: { n: { $push: "$n" } }, ...options } },
  ]) as { _id: { timestamp: string }; n: number[] }[];
  return rows.map((row) =>
    `${row._id.timestamp.replace(".000Z", "Z")} ${row.n.sort((a, b) => a - b).join(" ")}`
  );
}

for (const [options, expected] of GRIDS) {
  Deno.test(`windows start where $dateTrunc puts them: ${JSON.stringify(options)}`, async () => {
    deepStrictEqual(await windows(TIMES, options), expected);
  });
}

Deno.test("windows do not depend on the order of the rows", async () => {
  for (const [options, expected] of GRIDS) {
    const reversed = await windows(TIMES.toReversed(), options);
    const renumbered = expected.map((window) => {
      const [start, ...rows] = window.split(" ");
      return `${start} ${rows.map((n) => TIMES.length - 1 - Number(n)).sort((a, b) => a - b).join(" ")}`;
    });
    deepStrictEqual(reversed, renumbered, JSON.stringify(options));
  }
});

Deno.test("an offset moves the grid", async () => {
  const times = [
    "2024-05-01T00:10:00Z",
    "2024-05-01T00:20:00Z",
    "2024-05-01T01:14:59Z",
    "2024-05-01T01:15:00Z",
  ];
  deepStrictEqual(await windows(times, { window: "1h", offset: "15m" }), [
    "2024-04-30T23:15:00Z 0",
    "2024-05-01T00:15:00Z 1 2",
    "2024-05-01T01:15:00Z 3",
  ]);
  deepStrictEqual(await windows(times, { window: "1h", offset: "-45m" }), [
    "2024-04-30T23:15:00Z 0",
    "2024-05-01T00:15:00Z 1 2",
    "2024-05-01T01:15:00Z 3",
  ]);
  deepStrictEqual(await windows(times, { window: "1mo", offset: "1d" }), ["2024-04-02T00:00:00Z 0 1 2 3"]);
  deepStrictEqual(await windows(times, { window: "1d", offset: "6h", timezone: "Europe/Berlin" }), [
    "2024-04-30T04:00:00Z 0 1 2 3",
  ]);
});

Deno.test("every row of a dense year falls into the window that starts last before it", async () => {
  const startMs = Date.UTC(2024, 0, 1);
  for (const window of ["1h", "3h", "1d", "1w", "1mo"]) {
    const times = Array.from(
      { length: 366 * 8 },
      (_, i) => new Date(startMs + i * 3 * HOUR_MS + 1).toISOString(),
    );
    const rows = await windows(times, { window, timezone: "America/New_York" });
    const starts = rows.map((row) => Date.parse(row.split(" ")[0]!));
    rows.forEach((row, w) => {
      for (const n of row.split(" ").slice(1)) {
        const ms = Date.parse(times[Number(n)]!);
        const isInside = starts[w]! <= ms && ms < (starts[w + 1] ?? Infinity);
        deepStrictEqual(isInside, true, `${window}: ${times[Number(n)]} in ${row.split(" ")[0]}`);
      }
    });
  }
});

Deno.test("the shape of the result", async () => {
  const t = (minute: number) => new Date(Date.UTC(2024, 0, 1, 0, minute));
  const source = timeseriesOf([
    { t: t(61), m: { host: "b", rack: 1 }, v: 4 },
    { t: t(1), m: { host: "b", rack: 1 }, v: 1 },
    { t: t(2), m: { host: "a", rack: 1 }, v: 2 },
    { t: t(3), m: { host: "a", rack: 2 }, v: 6 },
    { t: t(4), v: 8 },
  ]);
  const run = (partitionBy?: PlainRecord | string) =>
    aggregate(source, [{
      $timeWindow: {
        timestamp: "$t",
        window: "1h",
        output: { avg: { $avg: "$v" }, max: { $max: "$v" } },
        ...(partitionBy === undefined ? {} : { partitionBy }),
      },
    }]);
  const first = "2024-01-01T00:00:00.000Z";
  const second = "2024-01-01T01:00:00.000Z";
  deepStrictEqual(await run(), [
    { _id: { timestamp: first }, avg: 4.25, max: 8 },
    { _id: { timestamp: second }, avg: 4, max: 4 },
  ]);
  deepStrictEqual(await run("$m.host"), [
    { _id: { timestamp: first, partition: null }, avg: 8, max: 8 },
    { _id: { timestamp: first, partition: "a" }, avg: 4, max: 6 },
    { _id: { timestamp: first, partition: "b" }, avg: 1, max: 1 },
    { _id: { timestamp: second, partition: "b" }, avg: 4, max: 4 },
  ]);
  deepStrictEqual(await run({ host: "$m.host", rack: "$m.rack" }), [
    { _id: { timestamp: first }, avg: 8, max: 8 },
    { _id: { timestamp: first, host: "a", rack: 1 }, avg: 2, max: 2 },
    { _id: { timestamp: first, host: "a", rack: 2 }, avg: 6, max: 6 },
    { _id: { timestamp: first, host: "b", rack: 1 }, avg: 1, max: 1 },
    { _id: { timestamp: second, host: "b", rack: 1 }, avg: 4, max: 4 },
  ]);
});

Deno.test("rows without a time are left out, other values are an error", async () => {
  const at = new Date(0);
  const stage = { $timeWindow: { timestamp: "$x", window: "1s", output: { n: { $sum: 1 } } } };
  deepStrictEqual(await aggregate(timeseriesOf([{ t: at }, { t: at, x: null }, { t: at, x: at }]), [stage]), [
    { _id: { timestamp: "1970-01-01T00:00:00.000Z" }, n: 1 },
  ]);
  await rejects(aggregate(timeseriesOf([{ t: at, x: 5 }]), [stage]), {
    code: 5439012,
    message: "PlanExecutor error during aggregation :: caused by :: " +
      "$timeWindow requires 'timestamp' to be a date, but got int",
  });
});

Deno.test("a malformed specification says what is wrong and what would be right", () => {
  const good = { timestamp: "$t", window: "1h", output: {} };
  const units = "a unit (ms, s, m, h, d, w, mo, q, y)";
  const badWindow = (found: string) =>
    `$timeWindow requires 'window' to be a string of a positive whole number and ${units} such as "15m", ` +
    `found window: ${found}`;
  const badOffset = (found: string) =>
    "$timeWindow requires 'offset' to be a string of a whole number and a unit (ms, s, m, h, d, w) " +
    `such as "15m", found offset: ${found}`;
  const cases: readonly [PlainRecord | number, number, string][] = [
    [1, 9, "the $timeWindow stage specification must be an object, found int"],
    [{}, 9, "$timeWindow requires 'timestamp'"],
    [
      { timestamp: "$t" },
      9,
      "$timeWindow requires 'window', 'gap', 'state', 'start' with 'end', or 'count'",
    ],
    [{ ...good, gap: "1h" }, 9, "$timeWindow takes one of 'window' and 'gap'"],
    [{ ...good, end: true }, 9, "$timeWindow's 'end' does not go with 'window'"],
    [{ timestamp: "$t", start: true, output: {} }, 9, "$timeWindow requires 'end'"],
    [
      { timestamp: "$t", gap: "1mo", output: {} },
      9,
      "$timeWindow requires 'gap' to be a string of a whole number and a unit (ms, s, m, h, d, w) such as " +
      '"15m", found gap: "1mo"',
    ],
    [
      { timestamp: "$t", count: 0, output: {} },
      9,
      "$timeWindow requires 'count' to be a positive whole number of rows, found count: 0",
    ],
    [
      { timestamp: "$t", count: 2, every: 3, output: {} },
      9,
      "$timeWindow requires 'every' to be no more than 'count'",
    ],
    [
      { timestamp: { $toDate: "$t" }, count: 2, output: {} },
      9,
      "$timeWindow with windows by 'count' requires 'timestamp' to be a field such as \"$timestamp\": set one by " +
      "$set before",
    ],
    [{ ...good, every: "2h" }, 9, "$timeWindow requires 'every' to be no longer than 'window'"],
    [
      { ...good, window: "1mo", every: "1w" },
      9,
      "$timeWindow requires 'window' and 'every' to be of one kind: hours and shorter, days, weeks, or months and " +
      "longer; without a time zone a day is 24h",
    ],
    [{ ...good, bounds: "full" }, 9, "$timeWindow's 'bounds' does not go without 'fill'"],
    [
      { ...good, fill: "nearest" },
      9,
      '$timeWindow requires \'fill\' to be null, "previous", "next", "linear" or {value: …}, found ' +
      'fill: "nearest"',
    ],
    [{ ...good, fill: { a: "next" } }, 9, "$timeWindow's 'fill' names 'a', which is no output"],
    [
      { ...good, fill: null, bounds: [1, 2] },
      9,
      '$timeWindow requires \'bounds\' to be "full", "partition" or two dates in order, found bounds: [ 1, 2 ]',
    ],
    [{ timestamp: "$t", window: "1h" }, 9, "$timeWindow requires 'output'"],
    [
      { ...good, slide: 1 },
      9,
      "unrecognized option to $timeWindow: 'slide'; there are timestamp, output, partitionBy, window, every, timezone, " +
      "startOfWeek, offset, fill, bounds, gap, state, start, end, count",
    ],
    [
      { ...good, timestamp: "t" },
      9,
      `$timeWindow requires 'timestamp' to be an expression such as "$timestamp", found timestamp: "t"`,
    ],
    [{ ...good, window: "1x" }, 9, badWindow('"1x"')],
    [{ ...good, window: "0h" }, 9, badWindow('"0h"')],
    [{ ...good, window: "-1h" }, 9, badWindow('"-1h"')],
    [{ ...good, window: "1.5h" }, 9, badWindow('"1.5h"')],
    [{ ...good, window: "h" }, 9, badWindow('"h"')],
    [{ ...good, window: "" }, 9, badWindow('""')],
    [{ ...good, window: 60 }, 9, badWindow("60")],
    [{ ...good, window: "9999999999h" }, 9, badWindow('"9999999999h"')],
    [{ ...good, offset: "1mo" }, 9, badOffset('"1mo"')],
    [{ ...good, offset: 5 }, 9, badOffset("5")],
    [{ ...good, timezone: 5 }, 9, "$timeWindow requires 'timezone' to be a string, found int"],
    [{ ...good, timezone: "Mars/Olympus" }, 40485, 'unrecognized time zone identifier: "Mars/Olympus"'],
    [
      { ...good, startOfWeek: "someday" },
      9,
      `$timeWindow requires 'startOfWeek' to be a day of the week such as "monday", found startOfWeek: "someday"`,
    ],
    [{ ...good, output: 5 }, 9, "$timeWindow requires 'output' to be an object, found int"],
    [
      { ...good, output: { _id: { $sum: 1 } } },
      9,
      "$timeWindow's 'output' cannot set _id: it holds the window",
    ],
    [{ ...good, output: { a: 1 } }, 40234, "The field 'a' must be an accumulator object"],
    [{ ...good, output: { a: { $foo: 1 } } }, 15952, "unknown group operator '$foo'"],
    [
      { ...good, partitionBy: { timestamp: "$t" } },
      9,
      "$timeWindow puts the fields of an object that 'partitionBy' gives into _id, where 'timestamp' is the " +
      "window's own: the object must not have a field of that name",
    ],
  ];
  for (const [$timeWindow, code, message] of cases) {
    throws(
      () => parsePipeline([documentOf({ $timeWindow })]),
      (error: CommandError) => {
        deepStrictEqual([error.code, error.message], [code, message]);
        return true;
      },
    );
  }
});
