/**
 * A mixed load by several clients at once, and the record of what the server acknowledged: inserts into plain and
 * time-series collections, updates and deletes of many documents at once, old, new and late measurements, some of which expire; and one who disturbs, by checkpoints and
 * compactions at random moments. After the server ended, however it did, `check` compares the record with what the next one has.
 *
 * A document is { _id, n: its number, v: its version, … }; in time-series collections `_id` is `n`, so that a row that
 * was applied twice shows.
 */
import assert from "node:assert/strict";
import { type Random, seededRandom } from "../../src/base/mod.ts";
import { CommandFailure, type Document, WireClient } from "../support/wire_client.ts";
import { type Change, Ledger, type Version } from "./ledger.ts";

const DATABASE = "crash";
const MINUTE_MS = 60_000;
const EXPIRE_AFTER_SECONDS = 3600;
const MAX_BATCH = 200;
/** Updates and deletes take documents of that many numbers, among the latest of all writers. */
const MAX_CHANGED_SPAN = 1000;
const MAX_CHANGED_AGE = 20_000;

interface LoadedCollection {
  readonly name: string;
  readonly kind: "plain" | "timeseries" | "expiring";
}

const COLLECTIONS: readonly LoadedCollection[] = [
  { name: "devices", kind: "plain" },
  { name: "orders", kind: "plain" },
  { name: "weather", kind: "timeseries" },
  { name: "power", kind: "timeseries" },
  { name: "traces", kind: "expiring" },
];

/** One client's part of one collection; nobody else touches its documents. */
interface Writer {
  readonly collection: LoadedCollection;
  readonly number: number;
  readonly ledger: Ledger;
  readonly random: Random;
}

export class RecordedLoad {
  private writers: readonly Writer[] = [];
  private nextNumber = 1;
  private generation = 0;
  /** Statements that were acknowledged. */
  acknowledged = 0;

  /** @param paddingBytes how much longer than needed documents are at most: fills the log */
  constructor(
    private readonly seed: number,
    private readonly writersPerCollection = 2,
    private readonly paddingBytes = 30,
  ) {
    this.startAnew();
  }

  /** Makes the collections that are missing. */
  async prepare(port: number): Promise<void> {
    const client = await WireClient.connect(port);
    try {
      await client.must({ setParameter: 1, ttlMonitorSleepSecs: 1 });
      for (const collection of COLLECTIONS) await create(client, collection);
    } finally {
      client.close();
    }
  }

  /** Drops all that there is, and forgets it: what was dropped must never be seen again. */
  async dropAll(port: number): Promise<void> {
    const client = await WireClient.connect(port);
    try {
      for (const { name } of COLLECTIONS) await client.must({ drop: name, $db: DATABASE });
    } finally {
      client.close();
    }
    this.startAnew();
  }

  /** Writes until `enough` resolves, then has the server ended, which breaks the connections. */
  async runUntil(port: number, enough: Promise<void>, endServer: () => Promise<void>): Promise<void> {
    let over = false;
    const running = this.run(port, () => over);
    // An error of the load is reported at once.
    await Promise.race([running, enough]);
    await endServer();
    over = true;
    await running;
  }

  /** Writes until the connections break or `isOver` says so. */
  async run(port: number, isOver: () => boolean): Promise<void> {
    const clients: WireClient[] = [];
    const each = async (work: (client: WireClient) => Promise<void>) => {
      const client = await WireClient.connect(port);
      clients.push(client);
      await work(client);
    };
    try {
      await Promise.all([
        ...this.writers.map((writer) => each((client) => this.write(client, writer, isOver))),
        each((client) => this.disturb(client, isOver)),
      ]);
    } finally {
      for (const client of clients) client.close();
    }
  }

  /** @throws AssertionError when something acknowledged is missing, or something is there that should not be */
  async check(port: number, when: string): Promise<void> {
    const client = await WireClient.connect(port);
    try {
      for (const collection of COLLECTIONS) {
        const seen = await documentsOf(client, collection);
        for (const { ledger, number } of this.writers.filter((writer) => writer.collection === collection)) {
          ledger.check(seen.get(number) ?? [], when, collection.kind === "expiring");
        }
        const known = this.writers.filter((writer) => writer.collection === collection).map((w) => w.number);
        for (const number of seen.keys()) {
          assert.ok(known.includes(number), `${when}: ${collection.name} has documents of dropped times`);
        }
      }
    } finally {
      client.close();
    }
  }

  private startAnew(): void {
    const first = this.generation++ * COLLECTIONS.length * this.writersPerCollection;
    this.writers = COLLECTIONS.flatMap((collection, place) =>
      Array.from({ length: this.writersPerCollection }, (_, i) => {
        const number = first + place * this.writersPerCollection + i;
        const ledger = new Ledger(`writer ${number} of ${collection.name}`);
        return { collection, number, ledger, random: seededRandom(this.seed * 1000 + number) };
      })
    );
  }

  private async write(client: WireClient, writer: Writer, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      if (!await this.runStatement(client, writer, this.nextStatement(writer))) return;
    }
  }

  /** @returns false when the connection broke */
  private async runStatement(client: WireClient, { ledger }: Writer, statement: Statement): Promise<boolean> {
    let reply: Document;
    try {
      reply = await client.command(statement.command);
    } catch {
      ledger.leaveOpen(statement.change);
      return false;
    }
    assert.ok(Number(reply["ok"]) === 1 && !("writeErrors" in reply), JSON.stringify(reply));
    ledger.acknowledge(statement.change);
    this.acknowledged++;
    return true;
  }

  private nextStatement(writer: Writer): Statement {
    const fate = writer.random();
    if (fate < 0.6) return this.insertStatement(writer);
    return this.changeStatement(writer, fate < 0.8);
  }

  /** Gives documents of a range of numbers another version, or deletes them. */
  private changeStatement({ collection, number, ledger, random }: Writer, isUpdate: boolean): Statement {
    const end = this.nextNumber;
    const first = Math.max(1, end - Math.floor(random() * MAX_CHANGED_AGE));
    const last = first + Math.floor(random() * random() * MAX_CHANGED_SPAN);
    const version = isUpdate ? end : undefined;
    const change = new Map<number, Version>();
    for (let n = first; n <= last; n++) {
      if (ledger.versionOf(n) !== undefined) change.set(n, version);
    }
    const q = { w: number, n: { $gte: first, $lte: last } };
    const command = isUpdate
      ? { update: collection.name, updates: [{ q, u: { $set: { v: version } }, multi: true }], $db: DATABASE }
      : { delete: collection.name, deletes: [{ q, limit: 0 }], $db: DATABASE };
    return { command, change };
  }

  private insertStatement({ collection, number, random }: Writer): Statement {
    const count = 1 + Math.floor(random() * random() * MAX_BATCH);
    const documents = Array.from({ length: count }, () => {
      return documentOf(collection, number, this.nextNumber++, this.paddingBytes, random);
    });
    return {
      command: { insert: collection.name, documents, $db: DATABASE },
      change: new Map(documents.map((document) => [document["n"] as number, 0])),
    };
  }

  /** Checkpoints and compactions, at random moments. */
  private async disturb(client: WireClient, isOver: () => boolean): Promise<void> {
    const random = seededRandom(this.seed * 1000 + 999 + this.acknowledged);
    while (!isOver()) {
      await new Promise((resolve) => setTimeout(resolve, random() * 200));
      try {
        const collection = COLLECTIONS[Math.floor(random() * COLLECTIONS.length)]!;
        await client.must(random() < 0.7 ? { fsync: 1 } : { compact: collection.name, $db: DATABASE });
      } catch (error) {
        if (error instanceof CommandFailure) throw error;
        return;
      }
    }
  }
}

/** A command, and what it does to whom when it succeeds. */
interface Statement {
  readonly command: Document;
  readonly change: Change;
}

async function create(client: WireClient, { name, kind }: LoadedCollection): Promise<void> {
  const reply = await client.command({
    create: name,
    ...(kind === "plain" ? {} : { timeseries: { timeField: "t", metaField: "m" } }),
    ...(kind === "expiring" ? { expireAfterSeconds: EXPIRE_AFTER_SECONDS } : {}),
    $db: DATABASE,
  });
  const code = Number(reply["code"] ?? 0);
  assert.ok(code === 0 || code === NAMESPACE_EXISTS, JSON.stringify(reply));
}

const NAMESPACE_EXISTS = 48;

function documentOf(
  { kind }: LoadedCollection,
  writer: number,
  n: number,
  paddingBytes: number,
  random: Random,
): Document {
  const content = {
    v: 0,
    w: writer,
    x: Math.floor(random() * 1000) / 10,
    text: "x".repeat(random() * paddingBytes),
  };
  if (kind === "plain") return { _id: n, n, ...content };
  // Most rows come in order of time, some are late; of the expiring ones every other has expired already.
  const ageMs = kind === "expiring" && random() < 0.5
    ? EXPIRE_AFTER_SECONDS * 1000 + random() * MINUTE_MS
    : random() < 0.1
    ? random() * 30 * MINUTE_MS
    : 0;
  // Now and then a new series.
  const part = random() < 0.01 ? n : n % 5;
  return { _id: n, t: new Date(Date.now() - ageMs), m: { writer, part }, n, ...content };
}

/** By writer: number and version of each of its documents. */
async function documentsOf(
  client: WireClient,
  { name }: LoadedCollection,
): Promise<Map<number, [number: number, version: number][]>> {
  const documents = await client.documents({
    find: name,
    projection: { n: 1, v: 1, w: 1, _id: 1 },
    batchSize: 1_000_000,
    $db: DATABASE,
  });
  const byWriter = new Map<number, [number, number][]>();
  for (const document of documents) {
    assert.equal(Number(document["_id"]), Number(document["n"]), "a document is whole");
    const writer = Number(document["w"]);
    const own = byWriter.get(writer) ?? [];
    own.push([Number(document["n"]), Number(document["v"])]);
    byWriter.set(writer, own);
  }
  return byWriter;
}

export function after(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
