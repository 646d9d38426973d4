/** The power fails at every call to the disk: what was acknowledged is there afterwards, whole, and nothing half. */
import assert from "node:assert/strict";
import { type Random, seededRandom } from "../../base/mod.ts";
import { failCall, FaultyDisk, MemoryDisk, SimulatedClock } from "../../io/mod.ts";
import { Log } from "./log.ts";
import type { LogRecord } from "./record.ts";

const SIZES = { fileBytes: 2048, chunkBytes: 512 };
/** Some files stay when they were cut, and both bounds are met. */
const RETENTION = { bytes: 3 * SIZES.fileBytes, ms: 2000 };

/** What a client knows: which entries it sent, and which of them were acknowledged where. */
class History {
  private nextId = 1;
  readonly sent = new Set<number>();
  /** Refused, and erased: a later one of the same life was acknowledged. */
  private readonly refused = new Set<number>();
  private justRefused: number[] = [];
  readonly acknowledged = new Map<string, number>();
  readonly lastAcknowledged = new Map<number, number>();
  readonly cutAt = new Map<number, number>();

  /** The entry's id, its length and then that many bytes that follow from the id. */
  send(random: Random): { id: number; payload: Uint8Array[] } {
    const id = this.nextId++;
    this.sent.add(id);
    const length = random() < 0.02 ? 3000 : Math.floor(random() * 200);
    const head = new Uint8Array(new Uint32Array([id, length]).buffer);
    return { id, payload: [head, contentOf(id, length)] };
  }

  acknowledge(id: number, group: number, index: number): void {
    for (const refused of this.justRefused.splice(0)) this.refused.add(refused);
    this.acknowledged.set(`${group}/${index}`, id);
    this.lastAcknowledged.set(group, Math.max(index, this.lastAcknowledged.get(group) ?? 0));
  }

  refuse(id: number): void {
    this.justRefused.push(id);
  }

  /** What can be read is what was acknowledged, without a gap to the end, all that was not cut included. */
  checkReading(log: Log, when: string): void {
    for (const [group, last] of this.lastAcknowledged) {
      const start = log.read(group, 1).next();
      let next = start.kind === "gone" ? start.firstIndex : 1;
      const cut = this.cutAt.get(group) ?? 0;
      assert.ok(next <= cut + 1, `${when}: nothing uncut is gone`);
      const reader = log.read(group, next);
      for (let isAtEnd = false; !isAtEnd;) {
        const reading = reader.next();
        assert.ok(reading.kind === "entries", when);
        for (const { index, payload } of reading.entries) {
          assert.equal(index, next++, when);
          const id = this.acknowledged.get(`${group}/${index}`);
          assert.equal(new Uint32Array(payload.slice(0, 4).buffer)[0], id, `${when}: ${group}/${index}`);
        }
        isAtEnd = reading.isAtEnd;
      }
      assert.equal(next, last + 1, `${when}: group ${group} is read to its end`);
    }
  }

  check(records: readonly LogRecord[], log: Log, when: string): void {
    this.justRefused = [];
    const seen = new Set<number>();
    const first = new Map<number, number>();
    for (const { group, index, payload } of records) {
      const [id, length] = new Uint32Array(payload.slice(0, 8).buffer);
      assert.ok(
        id !== undefined && length !== undefined && this.sent.has(id),
        `${when}: entry ${id} was sent`,
      );
      assert.deepEqual(payload.subarray(8), contentOf(id, length), `${when}: entry ${id} is whole`);
      assert.ok(!seen.has(id), `${when}: entry ${id} is there once`);
      assert.ok(!this.refused.has(id), `${when}: entry ${id} was refused`);
      seen.add(id);
      if (!first.has(group)) first.set(group, index);
      const known = this.acknowledged.get(`${group}/${index}`);
      if (known !== undefined) assert.equal(id, known, `${when}: ${group}/${index} is what it was`);
      else this.acknowledge(id, group, index);
    }
    for (const [group, last] of this.lastAcknowledged) {
      assert.ok(log.lastIndex(group) >= last, `${when}: group ${group} has ${last}`);
      const cut = this.cutAt.get(group) ?? 0;
      if (last > cut) assert.ok((first.get(group) ?? Infinity) <= cut + 1, `${when}: nothing uncut is gone`);
    }
  }
}

function contentOf(id: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => id * 31 + i * 7);
}

async function open(
  disk: FaultyDisk,
  random: Random,
  clock: SimulatedClock,
): Promise<{ log: Log; records: LogRecord[] }> {
  const records: LogRecord[] = [];
  const onRecord = (record: LogRecord) => void records.push({ ...record, payload: record.payload.slice() });
  return {
    log: await Log.open(disk, "log", { onRecord, random, clock, sizes: SIZES, retention: RETENTION }),
    records,
  };
}

/** Appends, in bursts over three groups, and cuts; ends when the disk has failed or after some bursts. */
async function work(log: Log, history: History, random: Random, clock: SimulatedClock): Promise<void> {
  for (let burst = 0; burst < 8; burst++) {
    const results = Array.from({ length: 1 + Math.floor(random() * 6) }, async () => {
      const group = 1 + Math.floor(random() * 3);
      const { id, payload } = history.send(random);
      try {
        await log.append(group, 1, payload, { onDurable: (index) => history.acknowledge(id, group, index) });
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === 14031) history.refuse(id);
        else throw error;
      }
    });
    const failed = (await Promise.allSettled(results)).some(({ status }) => status === "rejected");
    if (failed) return;
    clock.advance(500);
    if (random() < 0.5) {
      const group = 1 + Math.floor(random() * 3);
      const through = Math.floor(random() * (log.lastIndex(group) + 1));
      history.cutAt.set(group, Math.max(through, history.cutAt.get(group) ?? 0));
      await log.cut(group, through).catch(() => {});
    }
  }
}

/** One life: the disk fails at its `crashAt`th call and for ever after, the power fails, the log opens again. */
async function live(seed: number, crashAt: number): Promise<number> {
  const random = seededRandom(seed * 1000 + crashAt);
  const inner = new MemoryDisk();
  const clock = new SimulatedClock(1_800_000_000_000);
  const history = new History();
  let calls = 0;
  for (let life = 0; life < 3; life++) {
    const disk = new FaultyDisk(inner, failCall(crashAt, "EIO", true));
    const when = `seed ${seed}, call ${crashAt}, life ${life}`;
    try {
      const { log, records } = await open(disk, random, clock);
      history.check(records, log, when);
      await work(log, history, random, clock);
    } catch (error) {
      assert.ok(error instanceof Error && "code" in error && error.code === "EIO", `${when}: ${error}`);
    }
    calls = disk.calls;
    inner.crash(random);
  }
  const { log, records } = await open(new FaultyDisk(inner, () => undefined), random, clock);
  const when = `seed ${seed}, call ${crashAt}, end`;
  history.check(records, log, when);
  history.checkReading(log, when);
  await log.close();
  return calls;
}

Deno.test("a crash at every call to the disk, with many seeds", async () => {
  for (let seed = 1; seed <= 12; seed++) {
    let crashAt = 0;
    while (await live(seed, crashAt) > crashAt) crashAt++;
    assert.ok(crashAt > 20, `seed ${seed} has many steps: ${crashAt}`);
  }
});

Deno.test("a full device at any call, on and off: what is refused stays away, what is acknowledged stays", async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const random = seededRandom(seed);
    const inner = new MemoryDisk();
    const clock = new SimulatedClock(1_800_000_000_000);
    const history = new History();
    for (let life = 0; life < 3; life++) {
      const disk = new FaultyDisk(inner, () => undefined);
      const { log, records } = await open(disk, random, clock);
      history.check(records, log, `seed ${seed}, life ${life}`);
      const failing = new Set(
        ["writeAt", "sync", "open", "rename", "syncDirectory", "remove"].filter(() => random() < 0.5),
      );
      disk.setPlan(({ operation }) => failing.has(operation) && random() < 0.2 ? "ENOSPC" : undefined);
      for (let round = 0; round < 3; round++) await work(log, history, random, clock);
      inner.crash(random);
    }
    const { log, records } = await open(new FaultyDisk(inner, () => undefined), random, clock);
    history.check(records, log, `seed ${seed}, end`);
    history.checkReading(log, `seed ${seed}, end`);
    await log.close();
  }
});
