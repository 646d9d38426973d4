/**
 * `deno task bench:documents`: what an application does with its devices, users and orders, on ChronoGo and on MongoDB, one
 * after the other in one run, over the same raw client.
 *
 * MongoDB is the one member of a replica set, since only there it has transactions. Both acknowledge what is on disk:
 * ChronoGo as it always does, MongoDB with `writeConcern: {w: "majority", j: true}`. An operation is asked for over one
 * connection, and again over eight at once.
 */
import { type Document, Long, UUID } from "bson";
import { type Random, seededRandom } from "../src/base/mod.ts";
import { startMongod } from "../tests/support/mongod.ts";
import { startServerProcess } from "../tests/support/server_process.ts";
import { CommandFailure, WireClient } from "../tests/support/wire_client.ts";
import { keepCoresAwake } from "./awake_cores.ts";
import { cpuSecondsOf } from "./wire_instance.ts";

const DATABASE = "shop";
const COLLECTION = "orders";
const DOCUMENTS = 100_000;
const LOAD_BATCH = 1000;
const RANGE_DOCUMENTS = 50;
const TRANSACTION_WRITES = 5;
const CONNECTIONS = 8;
const WARM_UP_MS = 1000;
const MEASURE_MS = 4000;
const SEED = 7;

interface Peer {
  readonly name: string;
  readonly port: number;
  readonly pid: number;
  readonly writeConcern: Document | undefined;
  stop(): Promise<void>;
}

/** One client, with what it needs to write things that nobody else writes. */
class Session {
  private readonly lsid = { id: new UUID() };
  private txnNumber = 0;

  private constructor(
    private readonly client: WireClient,
    private readonly concern: Document,
    readonly random: Random,
    private nextId: number,
  ) {}

  static async open(peer: Peer, number: number): Promise<Session> {
    const client = await WireClient.connect(peer.port);
    const concern = peer.writeConcern === undefined ? {} : { writeConcern: peer.writeConcern };
    return new Session(client, concern, seededRandom(SEED + number), DOCUMENTS * 10 * (number + 1));
  }

  freshId(): number {
    return this.nextId++;
  }

  existingId(): number {
    return Math.floor(this.random() * DOCUMENTS);
  }

  read(body: Document): Promise<Document> {
    return this.client.must({ ...body, $db: DATABASE });
  }

  write(body: Document): Promise<Document> {
    return this.client.must({ ...body, ...this.concern, $db: DATABASE });
  }

  /** Runs commands as one transaction; again when another one was first. */
  async transaction(bodies: readonly Document[]): Promise<void> {
    for (;;) {
      try {
        return await this.tryTransaction(bodies);
      } catch (error) {
        const isTransient = error instanceof CommandFailure &&
          (error.reply["errorLabels"] ?? []).includes("TransientTransactionError");
        if (!isTransient) throw error;
      }
    }
  }

  private async tryTransaction(bodies: readonly Document[]): Promise<void> {
    const fields = { lsid: this.lsid, txnNumber: Long.fromNumber(++this.txnNumber), autocommit: false };
    for (const [i, body] of bodies.entries()) {
      const start = i === 0 ? { startTransaction: true } : {};
      await this.client.must({ ...body, ...fields, ...start, $db: DATABASE });
    }
    await this.client.must({ commitTransaction: 1, ...fields, ...this.concern, $db: "admin" });
  }

  close(): void {
    this.client.close();
  }
}

interface Operation {
  readonly name: string;
  readonly run: (session: Session) => Promise<unknown>;
}

const OPERATIONS: readonly Operation[] = [
  {
    name: "insert",
    run: (session) => session.write({ insert: COLLECTION, documents: [orderOf(session.freshId())] }),
  },
  {
    name: "point read by _id",
    run: (session) => session.read({ find: COLLECTION, filter: { _id: session.existingId() }, limit: 1 }),
  },
  {
    name: `indexed range, ${RANGE_DOCUMENTS} documents`,
    run: (session) => {
      const from = Math.min(session.existingId(), DOCUMENTS - RANGE_DOCUMENTS);
      return session.read({
        find: COLLECTION,
        filter: { number: { $gte: from, $lt: from + RANGE_DOCUMENTS } },
        singleBatch: true,
      });
    },
  },
  {
    name: "update by _id",
    run: (session) => {
      return session.write({ update: COLLECTION, updates: [incrementOf(session.existingId())] });
    },
  },
  {
    name: "unique upsert",
    run: (session) => {
      const email = emailOf(session.random() < 0.5 ? session.existingId() : session.freshId());
      return session.write({
        update: COLLECTION,
        updates: [{ q: { email }, u: { $inc: { total: 1 } }, upsert: true }],
      });
    },
  },
  {
    name: `transaction of ${TRANSACTION_WRITES} writes`,
    run: (session) => {
      const updates = Array.from({ length: TRANSACTION_WRITES - 1 }, () => ({
        update: COLLECTION,
        updates: [incrementOf(session.existingId())],
      }));
      return session.transaction([
        { insert: COLLECTION, documents: [orderOf(session.freshId())] },
        ...updates,
      ]);
    },
  },
];

function orderOf(id: number): Document {
  return {
    _id: id,
    number: id,
    email: emailOf(id),
    total: 12.5,
    state: "open",
    lines: [{ item: `item-${id % 100}`, count: 2 }, { item: `item-${id % 37}`, count: 1 }],
    address: { city: "Lyon", street: `street ${id % 1000}` },
  };
}

function emailOf(id: number): string {
  return `customer-${id}@example.org`;
}

function incrementOf(_id: number): Document {
  return { q: { _id }, u: { $inc: { total: 1 }, $set: { state: "paid" } } };
}

async function fill(peer: Peer): Promise<void> {
  const session = await Session.open(peer, 0);
  await session.write({ create: COLLECTION });
  const indexes = [
    { key: { number: 1 }, name: "number_1" },
    { key: { email: 1 }, name: "email_1", unique: true },
  ];
  await session.write({ createIndexes: COLLECTION, indexes });
  for (let id = 0; id < DOCUMENTS; id += LOAD_BATCH) {
    const documents = Array.from({ length: LOAD_BATCH }, (_, i) => orderOf(id + i));
    await session.write({ insert: COLLECTION, documents });
  }
  session.close();
}

/** How one operation went. */
interface Measured {
  readonly perSecond: number;
  readonly medianMs: number;
  readonly cpuMs: number;
}

async function measure(peer: Peer, operation: Operation, sessions: readonly Session[]): Promise<Measured> {
  await runFor(WARM_UP_MS, operation, sessions);
  const cpuBefore = cpuSecondsOf(peer.pid);
  const latencies = await runFor(MEASURE_MS, operation, sessions);
  const cpuMs = (cpuSecondsOf(peer.pid) - cpuBefore) * 1000 / latencies.length;
  latencies.sort();
  return {
    perSecond: latencies.length * 1000 / MEASURE_MS,
    medianMs: latencies[latencies.length >> 1]!,
    cpuMs,
  };
}

/** @returns of each run, its milliseconds */
async function runFor(
  ms: number,
  operation: Operation,
  sessions: readonly Session[],
): Promise<Float64Array> {
  const end = performance.now() + ms;
  const latencies: number[] = [];
  await Promise.all(sessions.map(async (session) => {
    for (let start = performance.now(); start < end;) {
      await operation.run(session);
      const now = performance.now();
      latencies.push(now - start);
      start = now;
    }
  }));
  return Float64Array.from(latencies);
}

/** By operation and number of connections, in order. */
async function measureAll(peer: Peer): Promise<Measured[]> {
  await fill(peer);
  const sessions = await Promise.all(
    Array.from({ length: CONNECTIONS }, (_, i) => Session.open(peer, i + 1)),
  );
  const results: Measured[] = [];
  for (const operation of OPERATIONS) {
    console.error(`${peer.name}: ${operation.name}`);
    for (const count of [1, CONNECTIONS]) {
      results.push(await measure(peer, operation, sessions.slice(0, count)));
    }
  }
  for (const session of sessions) session.close();
  return results;
}

async function startChronogo(): Promise<Peer> {
  const server = await startServerProcess();
  return {
    name: "ChronoGo",
    port: server.port,
    pid: server.pid,
    writeConcern: undefined,
    stop: async () => await server[Symbol.asyncDispose](),
  };
}

async function startMongodb(): Promise<Peer> {
  const mongod = await startMongod({ replicaSet: true });
  return {
    name: "MongoDB 6.0.5",
    port: mongod.port,
    pid: mongod.pid,
    writeConcern: { w: "majority", j: true },
    stop: () => mongod.stop(),
  };
}

function rowOf(name: string, connections: number, own: Measured, other: Measured): string {
  const cells = [
    name,
    connections,
    own.perSecond.toFixed(0),
    other.perSecond.toFixed(0),
    `${(own.perSecond / other.perSecond).toFixed(2)} ×`,
    own.medianMs.toFixed(2),
    other.medianMs.toFixed(2),
    own.cpuMs.toFixed(2),
    other.cpuMs.toFixed(2),
  ];
  return `| ${cells.join(" | ")} |`;
}

using _ = keepCoresAwake();
const results: Measured[][] = [];
for (const start of [startChronogo, startMongodb]) {
  const peer = await start();
  try {
    results.push(await measureAll(peer));
  } finally {
    await peer.stop();
  }
}
console.log(
  "| operation | connections | ChronoGo, ops/s | MongoDB 6.0.5, ops/s | ratio | median, ms | MongoDB's | server CPU, ms | MongoDB's |",
);
console.log(`| --- |${" ---: |".repeat(8)}`);
const [own, other] = results as [Measured[], Measured[]];
OPERATIONS.forEach(({ name }, i) => {
  [1, CONNECTIONS].forEach((connections, k) => {
    console.log(rowOf(name, connections, own[2 * i + k]!, other[2 * i + k]!));
  });
});
