import assert from "node:assert/strict";
import { SILENT_LOGGER } from "../base/mod.ts";
import { BuiltDocument } from "../bson/mod.ts";
import { SimulatedClock } from "../io/mod.ts";
import type { CollectionInfo } from "./catalog.ts";
import { Retention } from "./retention.ts";

const MINUTE_MS = 60_000;

function collection(id: number, expireAfterSeconds?: number): CollectionInfo {
  return {
    id,
    db: "d",
    collection: `c${id}`,
    uuid: {} as CollectionInfo["uuid"],
    timeseries: {
      timeField: "t",
      bucketMaxSpanSeconds: 3600,
      ...(expireAfterSeconds === undefined ? {} : { expireAfterSeconds }),
    },
    options: BuiltDocument.EMPTY,
  };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("a pass a minute takes each collection that expires, from its own time on", async () => {
  const clock = new SimulatedClock(1_000_000);
  const calls: [number, number][] = [];
  const retention = new Retention(clock, SILENT_LOGGER, {
    collections: () => [collection(1, 10), collection(2), collection(3, 0)],
    expire: (info, beforeMs) => {
      calls.push([info.id, beforeMs]);
      return info.id === 1 ? Promise.reject(new Error("the disk is full")) : Promise.resolve();
    },
    deleteSome: () => Promise.resolve(0),
  });
  clock.advance(MINUTE_MS - 1);
  await settled();
  assert.deepEqual(calls, []);
  clock.advance(1);
  await settled();
  assert.deepEqual(calls, [[1, 1_050_000], [3, 1_060_000]]);
  clock.advance(MINUTE_MS);
  await settled();
  assert.equal(calls.length, 4, "a failure does not end the passes");
  await retention.stop();
  clock.advance(10 * MINUTE_MS);
  await settled();
  assert.equal(calls.length, 4);
});

Deno.test("another interval begins at once, and passes that are switched off take nothing", async () => {
  const clock = new SimulatedClock(1_000_000);
  let passes = 0;
  const retention = new Retention(clock, SILENT_LOGGER, {
    collections: () => [collection(1, 10)],
    expire: () => {
      passes++;
      return Promise.resolve();
    },
    deleteSome: () => Promise.resolve(0),
  });
  assert.deepEqual(retention.change({ intervalMs: 1000 }), { intervalMs: MINUTE_MS, isEnabled: true });
  clock.advance(1000);
  await settled();
  clock.advance(1000);
  await settled();
  assert.equal(passes, 2);
  retention.change({ isEnabled: false });
  clock.advance(10_000);
  await settled();
  assert.equal(passes, 2);
  assert.deepEqual(retention.change({ isEnabled: true }), { intervalMs: 1000, isEnabled: false });
  clock.advance(1000);
  await settled();
  assert.equal(passes, 3);
  await retention.stop();
});
