/**
 * Lives of a node on a simulated disk that end at a random or at every call to it, by a power failure or by the end of
 * the process. What the clients had acknowledged must be there, once; what was dropped must not come back; what was
 * answered by an error or not at all may be there, but each insert, update and delete as a whole or not at all. An insert
 * that was not answered is retried after the start, in its session: then its documents are there, once.
 *
 * SQLite keeps its files on the real disk: at the moment of the crash they are copied, for a power failure with any
 * beginning of the WAL (what the last checkpoint wrote was synced).
 */
import assert from "node:assert/strict";
import { CommandError, type Random, seededRandom } from "../base/mod.ts";
import { type DiskCall, FaultyDisk, MemoryDisk } from "../io/mod.ts";
import type { Namespace } from "./catalog.ts";
import type { Node } from "./node.ts";
import type { RetryableWrite } from "./write_statement.ts";
import type { Transaction } from "./transaction.ts";
import {
  deleteNumbers,
  insertNumbers,
  insertNumbersIn,
  numbersIn,
  openNode,
  PLAIN,
  renumber,
  TIMESERIES,
} from "./node_fixture.ts";

const NAMES = ["a", "b", "c"];
/** Each of them with another seed, and ending at another call. */
const LIVES = 25;
/** Small, so that a life has many flushes. */
const MEMTABLE_BYTES = 15_000;

/** What one client knows about one of its collections. */
interface Expected {
  exists: boolean | "unsure";
  /** Set while it exists: whether it is a time series. */
  isTimeseries: boolean;
  readonly acknowledged: Set<number>;
  /** Writes without a good answer. */
  unsure: Write[];
}

/** The numbers that a write takes away, and those that it brings: all of the ones are there, or all of the others. */
interface Write {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** What an update adds to a number: more than there are numbers. */
const RENUMBERED = 1_000_000;

/** A client with a database of its own: one operation at a time, and a record of what was acknowledged. */
class Client {
  private readonly collections = new Map<string, Expected>();
  private readonly lsid: Uint8Array;
  private txnNumber = 0n;
  /** The latest operation, while it is an insert. */
  private latest: { readonly namespace: Namespace; readonly numbers: readonly number[] } | undefined;

  constructor(
    private readonly db: string,
    private readonly random: Random,
    private readonly next: () => number,
    private readonly usesPlain: boolean,
  ) {
    this.lsid = new Uint8Array(16).fill(db.charCodeAt(0));
  }

  async act(node: Node): Promise<void> {
    const collection = NAMES[Math.floor(this.random() * NAMES.length)]!;
    const namespace = { db: this.db, collection };
    const expected = this.expectedOf(collection);
    if (expected.exists === "unsure") return;
    const choice = this.random();
    this.latest = undefined;
    if (!expected.exists) await this.create(node, namespace, expected);
    else if (choice < 0.08) await this.drop(node, namespace, expected);
    else if (choice < 0.16) await node.checkpoint();
    else if (choice < 0.22) await node.router.compact(namespace);
    else if (choice < 0.3 && !expected.isTimeseries) await this.transact(node, namespace, expected);
    else if (choice < 0.34) await this.renumber(node, namespace, expected);
    else if (choice < 0.4) await this.delete(node, namespace, expected);
    else await this.insert(node, namespace, expected);
  }

  private async create(node: Node, namespace: Namespace, expected: Expected): Promise<void> {
    expected.isTimeseries = !this.usesPlain || this.random() < 0.5;
    expected.exists = "unsure";
    await node.router.createCollection(namespace, expected.isTimeseries ? TIMESERIES : PLAIN);
    expected.exists = true;
  }

  private async drop(node: Node, namespace: Namespace, expected: Expected): Promise<void> {
    expected.exists = "unsure";
    assert.ok(await node.router.dropCollection(namespace));
    forget(expected);
  }

  private async insert(node: Node, namespace: Namespace, expected: Expected): Promise<void> {
    const after = Array.from({ length: 1 + Math.floor(this.random() * 5) }, this.next);
    this.txnNumber++;
    this.latest = { namespace, numbers: after };
    const retryable = this.retryable(after.map((_, place) => place));
    await this.write(expected, { before: [], after }, () => insertNumbers(node, namespace, after, retryable));
  }

  private retryable(stmtIds: readonly number[]): RetryableWrite {
    return { lsid: this.lsid, txnNumber: this.txnNumber, seconds: 0, stmtIds };
  }

  /** Does what of the latest insert was not done. */
  private async retry(node: Node): Promise<void> {
    // Without its file SQLite forgets what was done, as it forgets documents.
    if (this.latest === undefined || !this.usesPlain) return;
    const { namespace, numbers } = this.latest;
    if (node.router.collection(namespace) === undefined) return;
    const history = await node.router.historyOf(this.lsid);
    const done = history?.txnNumber === this.txnNumber ? history.done : [];
    const isDone = (id: number) => done.some(({ first, count }) => id >= first && id < first + count);
    const places = numbers.map((_, place) => place).filter((place) => !isDone(place));
    if (places.length > 0) {
      await insertNumbers(node, namespace, places.map((place) => numbers[place]!), this.retryable(places));
    }
    const expected = this.expectedOf(namespace.collection);
    expected.unsure = expected.unsure.filter(({ after }) => after !== numbers);
    for (const n of numbers) expected.acknowledged.add(n);
  }

  private async renumber(node: Node, namespace: Namespace, expected: Expected): Promise<void> {
    const before = this.someOf(expected);
    const after = before.map((n) => n + RENUMBERED);
    await this.write(expected, { before, after }, () => renumber(node, namespace, before, RENUMBERED));
  }

  private async delete(node: Node, namespace: Namespace, expected: Expected): Promise<void> {
    const before = this.someOf(expected);
    await this.write(expected, { before, after: [] }, () => deleteNumbers(node, namespace, before));
  }

  /** Inserts, updates and deletes in transactions that are committed together. */
  private async transact(node: Node, namespace: Namespace, expected: Expected): Promise<void> {
    const parts: number[][] = Array.from({ length: 1 + Math.floor(this.random() * 3) }, () => []);
    for (const [i, n] of this.someOf(expected).entries()) parts[i % parts.length]!.push(n);
    const prepared = await Promise.all(parts.map((numbers, i) => this.prepare(node, namespace, numbers, i)));
    const commits = prepared.map(({ write, transaction }) =>
      this.write(expected, write, () => node.router.commitTransaction(transaction))
    );
    for (const commit of await Promise.allSettled(commits)) {
      if (commit.status === "rejected") throw commit.reason;
    }
  }

  /** A transaction that changes or deletes each of the numbers, and brings others. */
  private async prepare(
    node: Node,
    namespace: Namespace,
    numbers: readonly number[],
    session: number,
  ): Promise<{ readonly write: Write; readonly transaction: Transaction }> {
    const [changed, gone] = this.halves(numbers);
    const fresh = Array.from({ length: 1 + Math.floor(this.random() * 5) }, this.next);
    const lsid = this.lsid.map((byte, i) => i === 0 ? session : byte);
    const transaction = node.router.beginTransaction({ lsid, txnNumber: ++this.txnNumber });
    try {
      await insertNumbersIn(transaction, node, namespace, fresh);
      await renumber(node, namespace, changed, RENUMBERED, transaction);
      await deleteNumbers(node, namespace, gone, transaction);
    } catch (error) {
      transaction.end(new CommandError("NoSuchTransaction", "it has ended"));
      throw error;
    }
    const after = [...fresh, ...changed.map((n) => n + RENUMBERED)];
    return { write: { before: numbers, after }, transaction };
  }

  private halves(numbers: readonly number[]): readonly [readonly number[], readonly number[]] {
    const middle = Math.floor(this.random() * (numbers.length + 1));
    return [numbers.slice(0, middle), numbers.slice(middle)];
  }

  private someOf({ acknowledged }: Expected): readonly number[] {
    return [...acknowledged].filter(() => this.random() < 0.3);
  }

  private async write(expected: Expected, write: Write, action: () => Promise<void>): Promise<void> {
    for (const n of write.before) expected.acknowledged.delete(n);
    expected.unsure.push(write);
    await action();
    expected.unsure = expected.unsure.filter((other) => other !== write);
    for (const n of write.after) expected.acknowledged.add(n);
  }

  /** Compares what is there with the record. */
  async check(node: Node): Promise<void> {
    for (const collection of NAMES) {
      const namespace = { db: this.db, collection };
      const expected = this.expectedOf(collection);
      const info = node.router.collection(namespace);
      if (expected.exists !== "unsure") {
        assert.equal(info !== undefined, expected.exists, `${collection} exists`);
      }
      if (info === undefined) continue;
      assert.equal(info.timeseries !== undefined, expected.isTimeseries);
      const found = await numbersIn(node, namespace);
      checkNumbers(`${this.db}.${collection}`, found, expected);
      assert.equal(node.router.stats(namespace).count, found.length, `count of ${this.db}.${collection}`);
    }
  }

  /** After a restart, what is there stays: until then a write that failed may still be in the log. */
  async adopt(node: Node): Promise<void> {
    await this.retry(node);
    await this.check(node);
    for (const [collection, expected] of this.collections) {
      if (node.router.collection({ db: this.db, collection }) === undefined) {
        forget(expected);
        continue;
      }
      expected.exists = true;
      expected.unsure = [];
      for (const n of await numbersIn(node, { db: this.db, collection })) expected.acknowledged.add(n);
    }
  }

  get rowsOfTimeseries(): number {
    const here = [...this.collections.values()].filter((each) => each.exists === true && each.isTimeseries);
    return here.reduce((sum, each) => sum + each.acknowledged.size, 0);
  }

  get collectionCount(): number {
    return [...this.collections.values()].filter((each) => each.exists === true).length;
  }

  private expectedOf(collection: string): Expected {
    let expected = this.collections.get(collection);
    if (expected === undefined) {
      expected = { exists: false, isTimeseries: false, acknowledged: new Set(), unsure: [] };
      this.collections.set(collection, expected);
    }
    return expected;
  }
}

function forget(expected: Expected): void {
  expected.exists = false;
  expected.acknowledged.clear();
  expected.unsure = [];
}

function checkNumbers(name: string, found: readonly number[], expected: Expected): void {
  const there = new Set(found);
  assert.equal(there.size, found.length, `${name}: no document twice`);
  for (const n of expected.acknowledged) assert.ok(there.has(n), `${name}: ${n} was acknowledged`);
  let known = expected.acknowledged.size;
  for (const { before, after } of expected.unsure) {
    const [old, fresh] = [before, after].map((numbers) => numbers.filter((n) => there.has(n)).length);
    const isWhole = (old === before.length && fresh === 0) || (old === 0 && fresh === after.length);
    assert.ok(
      isWhole,
      `${name}: ${old} of ${before.length} old and ${fresh} of ${after.length} new of one write`,
    );
    known += old! + fresh!;
  }
  assert.equal(found.length, known, `${name}: nothing that nobody inserted`);
}

/** The machine: a disk that can break, and the files of SQLite beside it. */
class Machine {
  readonly memory = new MemoryDisk();
  readonly disk = new FaultyDisk(this.memory, () => undefined);
  private images = 0;
  private documentsPath: string;
  private image: string | undefined;
  isDown = false;

  /** @param folder for SQLite's files; undefined where they are not wanted */
  constructor(private readonly folder: string | undefined, private readonly random: Random) {
    this.documentsPath = folder === undefined ? ":memory:" : `${folder}/0.sqlite`;
  }

  open(): Promise<Node> {
    const { documentsPath, disk } = this;
    return openNode(disk, { documentsPath, memtableBytes: MEMTABLE_BYTES });
  }

  /** From that call on, counted from now, all fail. */
  breakAt(call: number, losesPower: boolean): void {
    const at = this.disk.calls + call;
    this.disk.setPlan(({ index }) => {
      if (index < at) return undefined;
      if (!this.isDown) this.goDown(losesPower);
      return "EIO";
    });
  }

  /** Some calls fail for want of room, then there is room again. */
  fillAt(call: number, calls: number): void {
    const at = this.disk.calls + call;
    const needsRoom = ({ operation }: DiskCall) => operation !== "readAt" && operation !== "size";
    this.disk.setPlan((each) =>
      each.index >= at && each.index < at + calls && needsRoom(each) ? "ENOSPC" : undefined
    );
  }

  goDown(losesPower: boolean): void {
    this.isDown = true;
    if (this.folder === undefined) return;
    this.image = `${this.folder}/${++this.images}.sqlite`;
    copyFile(this.documentsPath, this.image, 1);
    const kept = losesPower && this.random() < 0.7 ? this.random() : 1;
    copyFile(`${this.documentsPath}-wal`, `${this.image}-wal`, kept);
  }

  /** What the next start finds. */
  restart(losesPower: boolean): void {
    if (!this.isDown) this.goDown(losesPower);
    if (losesPower) this.memory.crash(this.random);
    else this.memory.kill();
    this.disk.setPlan(() => undefined);
    this.documentsPath = this.image ?? this.documentsPath;
    this.isDown = false;
  }
}

function copyFile(from: string, to: string, share: number): void {
  let bytes: Uint8Array;
  try {
    bytes = Deno.readFileSync(from);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  Deno.writeFileSync(to, bytes.subarray(0, Math.floor(bytes.length * share)));
}

const EXPECTED_ERROR = /EIO|ENOSPC|device is full|restart the node|log is closed/;

/** All clients at once, each so many operations; ends early when the machine goes down. */
async function live(
  machine: Machine,
  node: Node,
  clients: readonly Client[],
  operations: number,
): Promise<void> {
  await Promise.all(clients.map(async (client) => {
    for (let i = 0; i < operations && !machine.isDown; i++) {
      try {
        await client.act(node);
      } catch (error) {
        assert.match(String(error), EXPECTED_ERROR);
      }
    }
  }));
}

interface Life {
  readonly seed: number;
  /** The disk's call at which the machine goes down; -1: after all operations. */
  readonly downAt: number;
  readonly losesPower: boolean;
  readonly folder: string | undefined;
  /** Whether the disk is full for a while instead, before the machine goes down in the end. */
  readonly fills?: boolean;
}

/** A life with a crash, a second one on what was left, a power failure, a third one that ends well, and a last look. */
async function run({ seed, downAt, losesPower, folder, fills = false }: Life): Promise<number> {
  const random = seededRandom(seed);
  const machine = new Machine(folder, random);
  let count = 0;
  const clients = ["x", "y", "z"].map((db) => new Client(db, random, () => ++count, folder !== undefined));
  if (fills) machine.fillAt(downAt, 1 + Math.floor(random() * 30));
  else if (downAt >= 0) machine.breakAt(downAt, losesPower);
  await oneLife(machine, clients, 14);
  const calls = machine.disk.calls;
  machine.restart(losesPower);
  await oneLife(machine, clients, 4, true);
  machine.restart(true);
  await oneLife(machine, clients, 4, true);
  if (folder === undefined) machine.memory.kill();
  const node = await machine.open();
  for (const client of clients) await client.check(node);
  assert.equal(node.summary.rows, clients.reduce((sum, client) => sum + client.rowsOfTimeseries, 0));
  assert.equal(node.summary.collections, clients.reduce((sum, client) => sum + client.collectionCount, 0));
  await node.close();
  return calls;
}

async function oneLife(
  machine: Machine,
  clients: readonly Client[],
  operations: number,
  mustOpen = false,
): Promise<void> {
  let node: Node;
  try {
    node = await machine.open();
  } catch (error) {
    if (mustOpen) throw error;
    assert.match(String(error), EXPECTED_ERROR);
    return;
  }
  if (mustOpen) { for (const client of clients) await client.adopt(node); }
  await live(machine, node, clients, operations);
  try {
    if (!machine.isDown) { for (const client of clients) await client.check(node); }
  } catch (error) {
    if (!machine.isDown) throw error;
  }
  const wasDown = machine.isDown;
  await node.close().catch((error) =>
    assert.ok(wasDown || EXPECTED_ERROR.test(String(error)), String(error))
  );
}

async function withFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "chronogo-node-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs a life and names it when it goes wrong. */
async function named(life: Life): Promise<number> {
  try {
    return await run(life);
  } catch (error) {
    throw new Error(`in life ${JSON.stringify(life)}`, { cause: error });
  }
}

Deno.test("time series: a crash at calls all over a life loses nothing acknowledged and doubles nothing", async () => {
  const calls = await named({ seed: 1, downAt: -1, losesPower: true, folder: undefined });
  assert.ok(calls > 100, `${calls} calls`);
  for (let seed = 1; seed <= LIVES; seed++) {
    const downAt = Math.floor((seed * calls) / LIVES);
    await named({ seed, downAt, losesPower: seed % 3 !== 0, folder: undefined });
  }
});

Deno.test("a disk that is full for a while, at calls all over a life, loses nothing acknowledged and doubles nothing", async () => {
  const calls = await named({ seed: 2, downAt: -1, losesPower: true, folder: undefined });
  for (let seed = 1; seed <= LIVES; seed++) {
    const downAt = 20 + Math.floor((seed * (calls - 20)) / LIVES);
    await named({ seed, downAt, losesPower: true, folder: undefined, fills: true });
  }
});

Deno.test("both kinds of collections: crashes and full disks at random calls, SQLite's files as they were then", async () => {
  for (let seed = 1; seed <= LIVES; seed++) {
    await withFolder(async (folder) => {
      const downAt = Math.floor(seededRandom(seed)() * 300);
      await named({ seed, downAt, losesPower: seed % 3 !== 0, folder, fills: seed % 4 === 0 });
    });
  }
});
