/**
 * What all peers that speak MongoDB's wire protocol have in common. Messages are encoded ahead and sent by the raw client
 * of the tests, so that the client does not limit the server; the server's processor time is read from the system.
 */
import { type Document, Long } from "bson";
import { decodeReply, encodeCommand, encodeSequence, WireClient } from "../tests/support/wire_client.ts";
import type { Answer, LoadSize, SingleInserts } from "./peer.ts";
import type { Query } from "./query.ts";
import type { Scenario, Workload } from "./scenario.ts";

const DATABASE = "benchmark";
export const COLLECTION = "rows";
const SINGLE_COLLECTION = "singles";
/** Batches that are encoded before they are sent, outside of what is measured for the server. */
const ENCODED_AHEAD = 8;
/** Where the document of an OP_MSG reply stands: behind header, flags and the kind of its section. */
const REPLY_AT = 21;
/** Ticks a second of /proc: 100 on all Linux systems of note. */
const TICKS_PER_SECOND = 100;

/** Creates time series of the bench. */
export async function createCollections(
  port: number,
  { timeField, metaField }: Scenario,
  collections: readonly string[] = [COLLECTION, SINGLE_COLLECTION],
): Promise<void> {
  const client = await WireClient.connect(port);
  for (const collection of collections) {
    await client.must({
      create: collection,
      timeseries: { timeField, metaField, granularity: "seconds" },
      $db: DATABASE,
    });
  }
  client.close();
}

/** Runs one command against the bench's database. */
export async function command(port: number, body: Document): Promise<Document> {
  const client = await WireClient.connect(port);
  try {
    return await client.must({ ...body, $db: body["$db"] ?? DATABASE });
  } finally {
    client.close();
  }
}

/** Sends the workload in batches, one after another over one connection. */
export async function loadOverWire(
  port: number,
  workload: Workload,
  { rowCount, batchRows }: LoadSize,
  progress: (rows: number) => void,
  collection = COLLECTION,
): Promise<void> {
  const client = await WireClient.connect(port);
  while (workload.rowCount < rowCount) {
    const messages = Array.from({ length: ENCODED_AHEAD }, () => {
      const count = Math.min(batchRows, rowCount - workload.rowCount);
      return count === 0 ? undefined : insertMessage(workload, count, { insert: collection, ordered: false });
    });
    for (const message of messages) {
      if (message !== undefined) checkInserted(decodeReply(await client.roundTrip(message)));
    }
    progress(workload.rowCount);
  }
  client.close();
}

/** Sends single rows over some connections at once, each waiting for its answer. */
export async function insertSinglyOverWire(
  port: number,
  workload: Workload,
  { rowCount, connections }: SingleInserts,
  writeConcern: Document | undefined,
): Promise<Float64Array> {
  const body = { insert: SINGLE_COLLECTION, ordered: true, ...(writeConcern && { writeConcern }) };
  const messages = Array.from({ length: rowCount }, () => insertMessage(workload, 1, body));
  const latencies = new Float64Array(rowCount);
  let next = 0;
  await Promise.all(Array.from({ length: connections }, async () => {
    const client = await WireClient.connect(port);
    for (let at = next++; at < rowCount; at = next++) {
      const start = performance.now();
      const reply = await client.roundTrip(messages[at] as Uint8Array);
      latencies[at] = performance.now() - start;
      checkInserted(decodeReply(reply));
    }
    client.close();
  }));
  return latencies;
}

function insertMessage(workload: Workload, count: number, body: Document): Uint8Array {
  return encodeSequence({ ...body, $db: DATABASE }, "documents", workload.next(count).bytes);
}

function checkInserted(reply: Document): void {
  if (Number(reply["ok"]) !== 1 || "writeErrors" in reply) {
    throw new Error(`insert: ${JSON.stringify(reply)}`);
  }
}

const PING = encodeCommand({ ping: 1, $db: DATABASE });

/** Asks for nothing. */
export async function pingOverWire(client: WireClient): Promise<void> {
  await client.roundTrip(PING);
}

/** Queries that were asked, encoded: what is timed is the server. */
const OPENINGS = new WeakMap<Query, Uint8Array>();

/** Runs a query to its last batch, and decodes of each reply no more than the cursor's id. */
export async function runOverWire(client: WireClient, query: Query): Promise<void> {
  const opening = OPENINGS.get(query) ?? encodeCommand(openingOf(query));
  OPENINGS.set(query, opening);
  let reply = await client.roundTrip(opening);
  for (let id = cursorIdOf(reply); id !== 0n; id = cursorIdOf(reply)) {
    reply = await client.roundTrip(encodeCommand(nextOf(Long.fromBigInt(id))));
  }
}

/** Runs a query and decodes all that it answers. */
export async function answerOverWire(client: WireClient, query: Query): Promise<Answer> {
  const documents = await client.documents(openingOf(query));
  const sum = documents.reduce((total, document) => total + sumOfNumbers(document), 0);
  return { rowCount: documents.length, checksum: Math.round(sum * 1e3) / 1e3 };
}

function openingOf(query: Query): Document {
  return { aggregate: COLLECTION, pipeline: [...query.pipeline], cursor: {}, $db: DATABASE };
}

function nextOf(cursorId: Long): Document {
  return { getMore: cursorId, collection: COLLECTION, $db: DATABASE };
}

/**
 * The id of the cursor in a reply's bytes: `{cursor: {…, id: int64, …}, …}` in any order, found by stepping over what is
 * beside it. @throws Error for a reply without one
 */
function cursorIdOf(message: Uint8Array): bigint {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const cursorAt = findElement(view, REPLY_AT, "cursor");
  const idAt = cursorAt === undefined ? undefined : findElement(view, cursorAt, "id");
  if (idAt === undefined) {
    throw new Error(`query: ${decodeReply(message)["errmsg"] ?? "no cursor in the reply"}`);
  }
  return view.getBigInt64(idAt, true);
}

/** Where the value of a document's element stands. Knows the types that stand beside a cursor's batch. */
function findElement(view: DataView, documentAt: number, name: string): number | undefined {
  for (let at = documentAt + 4; view.getUint8(at) !== 0;) {
    const type = view.getUint8(at++);
    const nameAt = at;
    while (view.getUint8(at) !== 0) at++;
    const valueAt = at + 1;
    if (at - nameAt === name.length && textAt(view, nameAt, at) === name) return valueAt;
    at = valueAt + valueBytes(view, type, valueAt);
  }
  return undefined;
}

function valueBytes(view: DataView, type: number, at: number): number {
  switch (type) {
    case 0x02:
      return 4 + view.getInt32(at, true);
    case 0x03:
    case 0x04:
      return view.getInt32(at, true);
    case 0x01:
    case 0x09:
    case 0x11:
    case 0x12:
      return 8;
    case 0x08:
      return 1;
    case 0x0a:
      return 0;
    case 0x10:
      return 4;
    default:
      throw new Error(`a reply with a value of type ${type} beside its batch`);
  }
}

function textAt(view: DataView, start: number, end: number): string {
  return String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + start, end - start));
}

/** Adds up the numbers at the top level of a document. */
function sumOfNumbers(document: Document): number {
  let sum = 0;
  for (const value of Object.values(document)) {
    if (typeof value === "object" && value !== null && "_bsontype" in value && "value" in value) {
      sum += Number(value.value);
    }
  }
  return sum;
}

/** Processor seconds, user and system, of a process and its threads. Linux only: undefined elsewhere gives NaN. */
export function cpuSecondsOf(pid: number): number {
  let stat: string;
  try {
    stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch {
    return NaN;
  }
  // The program's name, in brackets, may contain spaces; utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}
