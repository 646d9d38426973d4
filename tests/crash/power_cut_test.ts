/**
 * The power fails under a real server: what it acknowledged is there afterwards though the disk kept nothing but what was
 * synced, or that and any part of the rest. And of each sync that this rests on: that it does nothing is found out, so
 * the test can see what it is for.
 *
 * CHRONOGO_POWER_CUTS sets how often the power fails.
 */
import assert from "node:assert/strict";
import { seededRandom } from "../../src/base/mod.ts";
import { checkFolder } from "../support/check_folder.ts";
import { type CutSummary, type Fate, PowerSupply } from "../support/power_cut.ts";
import { ServerDidNotStart, startServerProcess } from "../support/server_process.ts";
import { after, RecordedLoad } from "./recorded_load.ts";

const CUTS = Number(Deno.env.get("CHRONOGO_POWER_CUTS") ?? 8);
const LIFE_MS = 600;
/** Documents of this many bytes fill the log's first file in a moment. */
const PADDING_BYTES = 10_000;
const FIRST_LOG_FILE = "log/0000000001.log";

interface Life {
  /** Resolves when it has lived long enough. */
  readonly enough: (dataDir: string) => Promise<void>;
  readonly fate: Fate;
  /** Paths whose syncs do nothing. */
  readonly deceive?: readonly string[];
  readonly when: string;
}

/** A server finds what its predecessor acknowledged, lives under load and ends by a power cut. */
async function liveAndDie(power: PowerSupply, load: RecordedLoad, life: Life): Promise<CutSummary> {
  const { dataDir } = power;
  await using server = await startServerProcess({ dataDir, env: power.environment(life.deceive) });
  await load.check(server.port, life.when);
  await load.prepare(server.port);
  await load.runUntil(server.port, life.enough(dataDir), () => server.kill9());
  return power.cut(life.fate);
}

Deno.test("what was acknowledged is there after power cuts that lose what was not synced", async () => {
  await using power = await PowerSupply.connect();
  const load = new RecordedLoad(1);
  const random = seededRandom(7);
  let lost = 0;
  for (let cut = 0; cut < CUTS; cut++) {
    const fate = cut % 2 === 0 ? "lose" : random;
    const when = `after ${cut} cuts`;
    const enough = () => after(LIFE_MS * random() * 2);
    lost += (await liveAndDie(power, load, { enough, fate, when })).lost;
    if (cut % 4 === 3) await checkFolder(power.dataDir, when);
  }
  await using server = await startServerProcess({ dataDir: power.dataDir });
  await load.check(server.port, "at the end");
  assert.ok(load.acknowledged > 0 && lost > 0, "something was written, something was lost");
  assert.equal(await server.stop(), 0);
});

/** From then on, what is in other files only is nowhere else. */
async function untilTheLogIsCut(dataDir: string): Promise<void> {
  const first = `${dataDir}/${FIRST_LOG_FILE}`;
  while ([...Deno.readDirSync(`${dataDir}/log`)].some(({ name }) => first.endsWith(name))) await after(50);
}

/** Syncs that acknowledged writes rest on, by the paths of what is synced. */
const NEEDED_SYNCS: readonly (readonly [name: string, pattern: string])[] = [
  ["the log's entries", "log/*.log"],
  ["the names of log files", "log/"],
  ["the segments", "vnode-1/timeseries/*.seg"],
  ["the names of segments", "vnode-1/timeseries/"],
  ["the manifest", "vnode-1/timeseries/MANIFEST*"],
  ["the series", "vnode-1/timeseries/SERIES*"],
  ["the catalog", "mnode/catalog*"],
  ["the documents", "vnode-1/documents.sqlite*"],
];

for (const [name, pattern] of NEEDED_SYNCS) {
  Deno.test(`a sync of ${name} that does nothing is found out`, async () => {
    await using power = await PowerSupply.connect();
    const load = new RecordedLoad(2, 1, PADDING_BYTES);
    const shortly = { enough: () => after(LIFE_MS / 2), fate: "lose" } as const;
    await liveAndDie(power, load, { ...shortly, when: "in the first life" });
    const deceived = { enough: untilTheLogIsCut, fate: "lose", deceive: [pattern] } as const;
    await liveAndDie(power, load, { ...deceived, when: "in the second life" });
    await assert.rejects(async () => {
      await using server = await startServerProcess({ dataDir: power.dataDir });
      await load.check(server.port, "afterwards");
    }, (error) => error instanceof assert.AssertionError || error instanceof ServerDidNotStart);
  });
}
