/**
 * `deno task bench:open`: how long a server takes to be ready on a large store, right after `kill -9` under load.
 *
 * The store (50 million rows of 100,000 series) is made once and kept in `bench/.cache/`. Then, round by round: a real
 * server is filled over the wire until its log is as long as it gets, killed, and started again. The time is from the
 * start of the process to its line `ready`, with the folder's pages in the page cache and with an empty page cache.
 */
import { BuiltDocument, RawDocument } from "../src/bson/mod.ts";
import { Logger } from "../src/base/mod.ts";
import { Node } from "../src/cluster/mod.ts";
import { DenoDisk, SystemClock } from "../src/io/mod.ts";
import { startServerProcess } from "../tests/support/server_process.ts";
import { decodeReply, encodeSequence, WireClient } from "../tests/support/wire_client.ts";
import { ROW_BYTES, SensorRows, type SensorShape } from "./sensor_rows.ts";

const SENSORS = 100_000;
const BATCH_ROWS = 10_000;
const NAMESPACE = { db: "bench", collection: "sensors" };
const SHAPE: SensorShape = { sensors: SENSORS, startMs: Date.UTC(2025, 0, 1), intervalMs: 10_000 };
const ROUNDS = 3;
/** The log has been cut once it is this much shorter than it was. */
const CUT_BYTES = 32 << 20;
/** A round's log is full at this share of the most that it grew to; where it no longer gets there, at a lesser one. */
const FULL_SHARE = 0.95;
const LATER_FULL_SHARE = 0.8;
/** Cuts after which that is so: a log that once had to wait for a slow flush may not grow as long again. */
const PATIENT_CUTS = 4;
const DROP_CACHES = "/proc/sys/vm/drop_caches";

/** How one opening went. */
interface Opening {
  readonly readyMs: number;
  /** What the server says of its recovery. */
  readonly recoveryMs: number;
  readonly rows: number;
}

/** Makes the store where it is not yet. */
async function makeStore(folder: string, rowCount: number): Promise<void> {
  const done = `${folder}.made`;
  if (await exists(done)) return;
  if (await exists(folder)) await Deno.remove(folder, { recursive: true });
  await Deno.mkdir(folder, { recursive: true });
  const clock = new SystemClock();
  const logger = new Logger("bench", "error", console.error, () => clock.nowMs());
  const node = await Node.open({ disk: new DenoDisk(folder), clock, logger, durability: "interval" });
  const timeseries = { timeField: "t", metaField: "tags", bucketMaxSpanSeconds: 3600 };
  await node.router.createCollection(NAMESPACE, { timeseries, options: BuiltDocument.EMPTY });
  const rows = new SensorRows(SHAPE);
  while (rows.rowCount < rowCount) {
    await node.router.insert(NAMESPACE, documentsIn(rows.next(BATCH_ROWS)), false);
    if (rows.rowCount % 1_000_000 === 0) console.error(`making the store: ${rows.rowCount} rows`);
  }
  await node.close();
  await Deno.writeTextFile(done, "");
}

function documentsIn(bytes: Uint8Array): RawDocument[] {
  return Array.from({ length: bytes.length / ROW_BYTES }, (_, i) => new RawDocument(bytes, i * ROW_BYTES));
}

/** Fills a server's log as far as it goes and kills it. @returns bytes of the log's files */
async function fillAndKill(dataDir: string): Promise<number> {
  await using server = await startServerProcess({ dataDir });
  const client = await WireClient.connect(server.port);
  const count = await rowCountOf(client);
  const rows = new SensorRows(SHAPE, count);
  let largest = 0;
  let last = 0;
  let cuts = 0;
  for (;;) {
    const body = { insert: NAMESPACE.collection, ordered: false, $db: NAMESPACE.db };
    const reply = decodeReply(
      await client.roundTrip(encodeSequence(body, "documents", rows.next(BATCH_ROWS))),
    );
    if (Number(reply["n"]) !== BATCH_ROWS) throw new Error(`insert: ${JSON.stringify(reply)}`);
    const bytes = logBytes(dataDir);
    if (bytes < last - CUT_BYTES) cuts++;
    if (cuts > 0 && bytes >= largest * (cuts < PATIENT_CUTS ? FULL_SHARE : LATER_FULL_SHARE)) break;
    largest = Math.max(largest, bytes);
    last = bytes;
  }
  client.close();
  const bytes = logBytes(dataDir);
  await server.kill9();
  return bytes;
}

async function rowCountOf(client: WireClient): Promise<number> {
  const reply = await client.must({ collStats: NAMESPACE.collection, $db: NAMESPACE.db });
  return Number(reply["count"]);
}

/** Bytes of the log's files that are needed: spares are not read. */
function logBytes(dataDir: string): number {
  let bytes = 0;
  for (const { name } of Deno.readDirSync(`${dataDir}/log`)) {
    if (name.endsWith(".log")) bytes += sizeOf(`${dataDir}/log/${name}`);
  }
  return bytes;
}

/** Bytes of a file; 0 when it went meanwhile. */
function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

/** Starts a server on the folder, kills it once it is ready. */
async function open(dataDir: string): Promise<Opening> {
  const startedMs = performance.now();
  const server = await startServerProcess({ dataDir });
  const readyMs = performance.now() - startedMs;
  await server.kill9();
  const banner = server.stdout();
  return {
    readyMs,
    recoveryMs: Number(/recovery: +(\d+) ms/.exec(banner)?.[1]),
    rows: Number(/([\d,]+) rows?$/m.exec(banner)?.[1]?.replaceAll(",", "")),
  };
}

/** Empties the page cache of the machine; false where that is not allowed. */
async function dropPageCache(): Promise<boolean> {
  await new Deno.Command("sync").output();
  try {
    Deno.writeTextFileSync(DROP_CACHES, "3");
    return true;
  } catch {
    return false;
  }
}

/** The program itself is read before: its start from a cold disk says nothing of the store. */
async function warmProgram(): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "chronogo-bench-" });
  await open(`${folder}/data`);
  await Deno.remove(folder, { recursive: true });
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function run(rowCount: number): Promise<void> {
  const folder = new URL(`.cache/open-${rowCount}`, import.meta.url).pathname;
  await makeStore(folder, rowCount);
  console.log("| rows | log, MB | page cache | ready, ms | of which recovery, ms |");
  console.log("| --- | --- | --- | --- | --- |");
  const print = ({ rows, readyMs, recoveryMs }: Opening, log: number, cache: string) => {
    const cells = [
      rows.toLocaleString("en-US"),
      Math.round(log / 1e6),
      cache,
      Math.round(readyMs),
      recoveryMs,
    ];
    console.log(`| ${cells.join(" | ")} |`);
  };
  for (let round = 0; round < ROUNDS; round++) {
    const log = await fillAndKill(folder);
    print(await open(folder), log, "warm");
    if (!(await dropPageCache())) continue;
    await warmProgram();
    print(await open(folder), log, "cold");
    await dropPageCache();
    print(await open(folder), log, "cold, the program too");
  }
}

await run(Number(Deno.args[0] ?? 50_000_000));
