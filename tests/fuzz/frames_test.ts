/**
 * Garbage on the wire: random bytes, cut and damaged messages, damaged BSON. Every connection gets an answer or its end, the
 * server goes on, and nothing is left of it. A failure names its seed.
 */
import assert from "node:assert/strict";
import { MAX_MESSAGE_BYTES, type Random, seededRandom } from "../../src/base/mod.ts";
import { FrameReader, parseMessage, ProtocolViolation } from "../../src/wire/mod.ts";
import { eventually, withServer } from "../commands/harness.ts";
import { bodySection, concat, message, opMsg, opQuery, sequenceSection } from "../commands/messages.ts";

const SEED = 20;

/** Good messages, to be damaged. */
const GOOD: readonly Uint8Array[] = [
  opMsg(0, bodySection({ ping: 1, $db: "admin" })),
  opMsg(0, bodySection({ hello: 1, client: { driver: { name: "x", version: "1" } }, $db: "admin" })),
  opMsg(
    0,
    bodySection({ insert: "p", $db: "t" }),
    sequenceSection("documents", [{ a: 1, b: ["x", { c: new Date(0) }] }]),
  ),
  opMsg(0, bodySection({ insert: "p", documents: [{ a: 1 }, { a: null }], ordered: false, $db: "t" })),
  opMsg(0, bodySection({ find: "p", filter: { a: { $gt: 1 }, b: /x/ }, sort: { a: 1 }, limit: 5, $db: "t" })),
  opMsg(
    0,
    bodySection({
      aggregate: "p",
      pipeline: [{ $group: { _id: "$a", n: { $sum: 1 } } }],
      cursor: {},
      $db: "t",
    }),
  ),
  opMsg(0, bodySection({ create: "s", timeseries: { timeField: "t" }, $db: "t" })),
  opMsg(0, bodySection({ explain: { count: "p", query: {} }, $db: "t" })),
  opQuery("admin.$cmd", { isMaster: 1 }),
  message(2012, Uint8Array.of(221, 7, 0, 0, 30, 0, 0, 0, 2, 120, 156, 99, 96, 0, 0)),
];

function damage(random: Random): Uint8Array {
  const bytes = GOOD[Math.floor(random() * GOOD.length)]!.slice();
  const hits = 1 + Math.floor(random() * 4);
  for (let i = 0; i < hits; i++) bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
  return random() < 0.2 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes;
}

/** As `damage`, but the frame stays whole: the damage gets to the parser. */
function damageInside(random: Random): Uint8Array {
  const bytes = GOOD[Math.floor(random() * GOOD.length)]!.slice();
  const hits = 1 + Math.floor(random() * 3);
  for (let i = 0; i < hits; i++) {
    bytes[16 + Math.floor(random() * (bytes.length - 16))] = Math.floor(random() * 256);
  }
  return bytes;
}

function noise(random: Random): Uint8Array {
  return Uint8Array.from({ length: 1 + Math.floor(random() * 300) }, () => Math.floor(random() * 256));
}

Deno.test("parsing a damaged message answers, rejects or closes, and nothing else", () => {
  const random = seededRandom(SEED);
  for (let round = 0; round < 30_000; round++) {
    const bytes = damageInside(random);
    try {
      const parsed = parseMessage(bytes);
      assert.ok(parsed.kind === "command" || parsed.kind === "rejected");
    } catch (error) {
      assert.ok(error instanceof ProtocolViolation, `round ${round}: ${error}`);
    }
  }
});

Deno.test("cutting a random stream gives messages of honest lengths or ends", () => {
  const random = seededRandom(SEED);
  for (let round = 0; round < 2000; round++) {
    const reader = new FrameReader();
    const bytes = random() < 0.5 ? noise(random) : concat(damage(random), damage(random), damage(random));
    try {
      for (let at = 0; at < bytes.length;) {
        const target = reader.target();
        const size = Math.min(target.length, bytes.length - at, 1 + Math.floor(random() * 100));
        target.set(bytes.subarray(at, at + size));
        reader.filled(size);
        at += size;
        for (let whole = reader.next(); whole !== undefined; whole = reader.next()) {
          assert.ok(whole.length >= 16 && whole.length <= MAX_MESSAGE_BYTES);
          assert.equal(new DataView(whole.buffer).getInt32(0, true), whole.length);
        }
      }
    } catch (error) {
      assert.ok(error instanceof ProtocolViolation, `round ${round}: ${error}`);
    }
  }
});

/** Sends bytes on a connection of its own, closes the sending side and reads to the end. @returns bytes received */
async function talk(port: number, bytes: Uint8Array): Promise<number> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  let received = 0;
  try {
    for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
    await connection.closeWrite();
    const buffer = new Uint8Array(4096);
    for (let count = await connection.read(buffer); count !== null; count = await connection.read(buffer)) {
      received += count;
    }
  } catch (error) {
    // The server may close while the client still sends: that is its answer.
    if (!(error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe)) {
      throw error;
    }
  } finally {
    connection.close();
  }
  return received;
}

Deno.test("the server survives whatever is sent and keeps nothing of it", async () => {
  const random = seededRandom(SEED);
  await withServer(async ({ port, server, router, client, fatalErrors }) => {
    const heapAfterRound: number[] = [];
    for (let round = 0; round < 6; round++) {
      for (let i = 0; i < 60; i++) {
        const kind = random();
        const bytes = kind < 0.3 ? noise(random) : kind < 0.7 ? damage(random) : damageInside(random);
        await talk(port, random() < 0.3 ? concat(GOOD[0]!, bytes) : bytes);
      }
      await router.dropDatabase("t");
      await eventually(() => server.state.connections === 1, "the connections are gone");
      assert.deepEqual(
        [server.state.operations.size, router.openScans],
        [0, 0],
        `round ${round}, seed ${SEED}`,
      );
      await client.must({ ping: 1 });
      heapAfterRound.push(Deno.memoryUsage().rss);
    }
    const grown = heapAfterRound.at(-1)! - heapAfterRound[1]!;
    assert.ok(grown < 64 * 1024 * 1024, `the process grew by ${grown} bytes over four rounds`);
    assert.equal(server.state.counters.asserts.internal, 0, "no damaged command made one of our own errors");
    assert.deepEqual(fatalErrors, []);
  });
});

Deno.test("announcing long messages on many connections takes no memory", async () => {
  await withServer(async ({ port, server, client }) => {
    const before = Deno.memoryUsage().rss;
    const head = message(2013, new Uint8Array(64), { length: MAX_MESSAGE_BYTES });
    const connections = await Promise.all(
      Array.from({ length: 100 }, () => Deno.connect({ hostname: "127.0.0.1", port })),
    );
    await Promise.all(connections.map((connection) => connection.write(head)));
    await eventually(
      () => server.state.counters.network.physicalBytesIn >= 100 * head.length,
      "all heads are read",
    );
    const grown = Deno.memoryUsage().rss - before;
    assert.ok(grown < 200 * 1024 * 1024, `4.8 GB were announced, ${grown} bytes were taken`);
    for (const connection of connections) connection.close();
    await eventually(() => server.state.connections === 1, "the connections are gone");
    await client.must({ ping: 1 });
  });
});
