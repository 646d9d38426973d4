/**
 * Real clients, as their registries ship them, each in a process of its own, against a server process: the Node driver,
 * mongosh and pymongo. The programs are in `programs/`; they check what they get and end with an error when it is wrong.
 */
import assert from "node:assert/strict";
import { type ServerProcess, startServerProcess } from "../support/server_process.ts";
import {
  installClients,
  packageFile,
  type ProgramResult,
  runMongosh,
  runNode,
  runPython,
} from "./installed_clients.ts";

const HOUR_MS = 3_600_000;

function clientTest(name: string, body: (server: ServerProcess) => Promise<void>): void {
  Deno.test(name, async () => {
    await installClients();
    await using server = await startServerProcess();
    await body(server);
  });
}

function outputOf({ code, stdout, stderr }: ProgramResult): string {
  assert.equal(code, 0, `the program ended with ${code}:\n${stdout}${stderr}`);
  return stdout;
}

/** The parts of the example's output that both shells print. */
function checkExample(output: string): void {
  const { now, insertedId, found, windows, collection } = JSON.parse(output.trim().split("\n").at(-1) ?? "");
  assert.deepEqual(found, [{
    timestamp: now,
    tags: { location: "room1", sensorId: "s1" },
    temperature: 22.5,
    humidity: 45,
    _id: insertedId,
  }]);
  const hour = new Date(Math.floor(Date.parse(now) / HOUR_MS) * HOUR_MS).toISOString();
  assert.deepEqual(windows, [{ _id: { timestamp: hour }, avgTemp: 22.5, maxTemp: 22.5 }]);
  assert.equal(collection.type, "timeseries");
  assert.equal(Number(collection.options.expireAfterSeconds), 2592000);
  assert.deepEqual(collection.options.timeseries, {
    timeField: "timestamp",
    metaField: "tags",
    granularity: "seconds",
    bucketMaxSpanSeconds: 3600,
  });
}

clientTest("the README's example runs in the Node driver", async (server) => {
  checkExample(outputOf(await runNode("example.mjs", server.uri)));
});

clientTest("the README's example runs in mongosh", async (server) => {
  checkExample(outputOf(await runMongosh("example.mongosh.js", server.uri)));
});

clientTest("mongosh's helpers work", async (server) => {
  const shown = JSON.parse(outputOf(await runMongosh("shell_helpers.mongosh.js", server.uri)).trim());
  assert.ok(shown.databases.includes("shell_helpers"));
  assert.deepEqual(shown.collections.filter((name: string) => !name.startsWith("system.")), [
    "plain",
    "series",
  ]);
  assert.deepEqual([shown.count, shown.estimated, shown.distinct], [1, 2, [1, 2]]);
  assert.deepEqual(shown.one, { _id: 2, a: 2 });
  assert.deepEqual(shown.indexes, ["_id_"]);
  assert.match(shown.version, /^8\.0\./);
  assert.equal(shown.hello, "isdbgrid");
  assert.deepEqual([shown.stats, shown.explained], [2, "object"]);
});

clientTest("Compass's reader of plans reads what every command explains", async (server) => {
  outputOf(await runNode("explain.mjs", server.uri));
});

clientTest("the Node driver and mongoose run transactions", async (server) => {
  outputOf(await runNode("transactions.mjs", server.uri));
});

clientTest("pymongo runs transactions", async (server) => {
  outputOf(await runPython("transactions.py", server.uri));
});

Deno.test("pymongo's transactions outlive lost answers, dead clients and their own time", async () => {
  await installClients();
  await using server = await startServerProcess({ args: ["--set-parameter", "enableTestCommands=1"] });
  assert.equal(outputOf(await runPython("transactions_retried.py", server.uri)).trim(), "ok");
});

clientTest("the Node driver reads cursors in batches", async (server) => {
  outputOf(await runNode("cursors.mjs", server.uri));
});

clientTest("the Node driver shows errors as MongoDB's", async (server) => {
  outputOf(await runNode("errors.mjs", server.uri));
});

clientTest("the Node driver keeps sessions, streams hello and compresses", async (server) => {
  outputOf(await runNode("sessions.mjs", server.uri));
});

clientTest(
  "what Compass, Telegraf, mongoose and monitors send is answered as they expect",
  async (server) => {
    outputOf(await runNode("client_shapes.mjs", server.uri));
  },
);

clientTest("pymongo writes and reads", async (server) => {
  outputOf(await runPython("driver.py", server.uri));
});

clientTest("Seattle's weekly weather is right", async (server) => {
  const csv = packageFile("vega-datasets/data/seattle-weather.csv");
  const { weeks, rainy } = JSON.parse(outputOf(await runNode("weather.mjs", server.uri, csv)));
  const days = readDays(csv);
  assert.equal(days.length, 1461);
  const expected = weeklyWeather(days);
  assert.deepEqual(weeks.map(({ _id }: { _id: unknown }) => _id), expected.map(({ _id }) => _id));
  for (const [index, week] of expected.entries()) {
    const { rain, wind, ...exact } = week;
    const { rain: actualRain, wind: actualWind, ...actual } = weeks[index];
    assert.deepEqual(actual, exact);
    // Sums of decimal fractions: the last bit depends on the way of adding.
    assert.ok(Math.abs(actualRain - rain) < 1e-9 && Math.abs(actualWind - wind) < 1e-9, JSON.stringify(week));
  }
  assert.equal(
    rainy,
    days.filter(({ weather, precipitation }) => weather === "rain" && precipitation > 20).length,
  );
});

clientTest("garbage on the port does not trouble a working client", async (server) => {
  const working = runNode("steady.mjs", server.uri, "3000");
  let sent = 0;
  for (const end = Date.now() + 3000; Date.now() < end; sent++) await sendGarbage(server.port, sent);
  assert.ok(Number(outputOf(await working)) > 0);
  assert.ok(sent > 20, `${sent} connections with garbage`);
  assert.doesNotMatch(server.stderr(), /panic|uncaught|unhandled/i);
});

interface Day {
  readonly timeMs: number;
  readonly weather: string;
  readonly precipitation: number;
  readonly warmest: number;
  readonly coldest: number;
  readonly wind: number;
}

function readDays(path: string): Day[] {
  return Deno.readTextFileSync(path).trim().split("\n").slice(1).map((line) => {
    const [date, precipitation, warmest, coldest, wind, weather] = line.split(",");
    return {
      timeMs: Date.parse(`${date}T00:00:00Z`),
      weather: weather ?? "",
      precipitation: Number(precipitation),
      warmest: Number(warmest),
      coldest: Number(coldest),
      wind: Number(wind),
    };
  });
}

/** Weeks from Monday, by plain arithmetic: 1970-01-05 was a Monday. */
function weeklyWeather(days: readonly Day[]) {
  const dayMs = 24 * HOUR_MS;
  const weekOf = ({ timeMs }: Day) => Math.floor((timeMs - 4 * dayMs) / (7 * dayMs)) * 7 * dayMs + 4 * dayMs;
  const starts = [...new Set(days.map(weekOf))].sort((a, b) => a - b);
  return starts.map((start) => {
    const week = days.filter((day) => weekOf(day) === start);
    return {
      _id: { timestamp: new Date(start).toISOString() },
      days: week.length,
      rain: week.reduce((sum, { precipitation }) => sum + precipitation, 0),
      warmest: Math.max(...week.map(({ warmest }) => warmest)),
      coldest: Math.min(...week.map(({ coldest }) => coldest)),
      wind: week.reduce((sum, { wind }) => sum + wind, 0) / week.length,
    };
  });
}

/** One connection that sends what is no message: random bytes, HTTP, a wrong length, half a message, an odd opcode. */
async function sendGarbage(port: number, kind: number): Promise<void> {
  const random = crypto.getRandomValues(new Uint8Array(512));
  const header = (length: number, opCode: number) => {
    const bytes = new Uint8Array(32);
    new DataView(bytes.buffer).setInt32(0, length, true);
    new DataView(bytes.buffer).setInt32(12, opCode, true);
    return bytes;
  };
  const kinds = [
    random,
    new TextEncoder().encode("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    header(0x7fffffff, 2013),
    header(-5, 2013),
    header(1000, 2013),
    header(32, 2013),
    header(32, 1),
    new Uint8Array(0),
  ];
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  try {
    await connection.write(kinds[kind % kinds.length] ?? random);
    await new Promise((resolve) => setTimeout(resolve, 5));
  } catch {
    // The server may have closed it already: that is its right.
  } finally {
    connection.close();
  }
}

clientTest("the Node driver updates, deletes and writes in bulk", async (server) => {
  assert.equal(outputOf(await runNode("writes.mjs", server.uri)).trim(), "ok");
});

clientTest("the Node driver makes and uses other kinds of collections", async (server) => {
  assert.equal(outputOf(await runNode("collections.mjs", server.uri)).trim(), "ok");
});

clientTest("pymongo updates, deletes and writes in bulk", async (server) => {
  assert.equal(outputOf(await runPython("writes.py", server.uri)).trim(), "ok");
});

clientTest("mongosh updates and deletes", async (server) => {
  const shown = JSON.parse(
    outputOf(await runMongosh("writes.mongosh.js", server.uri)).trim().split("\n").at(-1) ?? "",
  );
  const expected = [1, 3, 1, 30, 30, 1, [{ _id: 1, n: 11 }], 9];
  assert.deepEqual(shown, { plain: expected, series: expected });
});
