/**
 * `kill -9` of a real server at random moments under a mixed load, many times on one folder: after each start, what the
 * clients know to be acknowledged is there, nothing is there twice, nothing that was deleted or dropped returns.
 *
 * CHRONOGO_KILLS sets how many kills there are, however long they take; without it there are at most a hundred, and they
 * end after a minute and a quarter.
 */
import assert from "node:assert/strict";
import { seededRandom } from "../../src/base/mod.ts";
import { checkFolder } from "../support/check_folder.ts";
import { startServerProcess } from "../support/server_process.ts";
import { after, RecordedLoad } from "./recorded_load.ts";

const WANTED = Deno.env.get("CHRONOGO_KILLS");
const KILLS = Number(WANTED ?? 100);
const TIME_MS = WANTED === undefined ? 75_000 : Infinity;
const MAX_LIFE_MS = 600;
/** All collections are dropped after so many kills, so that checking stays quick. */
const KILLS_TO_DROP = 12;
const KILLS_TO_CHECK = 10;

Deno.test("nothing acknowledged is lost by a hundred kills", async () => {
  const folder = await Deno.makeTempDir({ prefix: "chronogo-kills-" });
  const dataDir = `${folder}/data`;
  const seed = Number(Deno.env.get("CHRONOGO_SEED") ?? 3);
  const random = seededRandom(seed);
  const load = new RecordedLoad(seed);
  const startedMs = performance.now();
  let kills = 0;
  try {
    for (; kills < KILLS && performance.now() - startedMs < TIME_MS; kills++) {
      const when = `after ${kills} kills (CHRONOGO_SEED=${seed})`;
      await using server = await startServerProcess({ dataDir });
      await load.check(server.port, when);
      if (kills % KILLS_TO_DROP === KILLS_TO_DROP - 1) await load.dropAll(server.port);
      await load.prepare(server.port);
      await load.runUntil(server.port, after(MAX_LIFE_MS * random()), () => server.kill9());
      if (kills % KILLS_TO_CHECK === KILLS_TO_CHECK - 1) await checkFolder(dataDir, when);
    }
    await using server = await startServerProcess({ dataDir });
    await load.check(server.port, "at the end");
    assert.equal(await server.stop(), 0);
    await checkFolder(dataDir, "at the end");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  console.log(`${kills} kills, ${load.acknowledged} acknowledged statements`);
});
