/** The `cursor` field of an answer: a batch of documents, written straight behind one another, and what is left of the query. */
import { DEFAULT_BATCH_SIZE } from "../base/mod.ts";
import { BsonType, type BsonWriter, type Document, Timestamp } from "../bson/mod.ts";
import type { Rows } from "../query/mod.ts";
import type { CommandCall } from "./command.ts";
import type { Cursor } from "./cursors.ts";
import type { QueryWork } from "./operation.ts";
import type { Tail } from "./tail.ts";

export interface FirstBatch {
  /** `db.collection`, as the answer names it. */
  readonly namespace: string;
  readonly rows: Rows;
  readonly work?: QueryWork;
  /** Documents in the batch; 101 when not given, which 0 is. */
  readonly batchSize: number | undefined;
  /** Nothing remains after this batch. */
  readonly singleBatch?: boolean;
  readonly noTimeout?: boolean;
  /** What the query gives at most. */
  readonly limit?: number | undefined;
  /** Set for a cursor that waits for more instead of ending. */
  readonly tail?: Tail;
}

/** Appends {cursor: {firstBatch, id, ns}}; what is left stays open for getMore. */
export async function replyFirstBatch(
  call: CommandCall,
  reply: BsonWriter,
  batch: FirstBatch,
): Promise<void> {
  const { cursors } = call.state;
  const cursor = cursors.create({
    namespace: batch.namespace,
    rows: batch.rows,
    command: call.name === "find" ? "find" : "aggregate",
    work: batch.work,
    sessionId: call.generic.sessionId,
    txnNumber: call.generic.inTransaction ? call.generic.txnNumber : undefined,
    noTimeout: batch.noTimeout ?? false,
    maxTimeMs: batch.tail === undefined ? call.generic.maxTimeMs : 0,
    limit: batch.limit,
    tail: batch.tail,
    atClusterTime: call.atClusterTime,
  });
  try {
    await replyBatch(reply, cursor, "firstBatch", batch.batchSize ?? DEFAULT_BATCH_SIZE, () => {
      return cursor.exhausted || batch.singleBatch === true ? 0n : cursor.id;
    });
  } catch (error) {
    await cursor.close();
    throw error;
  }
  if (cursor.exhausted) return;
  if (batch.singleBatch) return await cursor.close();
  cursor.spend(call.operation.elapsedMs());
  await cursors.keep(cursor);
}

/** Appends {cursor: {nextBatch, id, ns}}. */
export function replyNextBatch(reply: BsonWriter, cursor: Cursor, batchSize: number): Promise<void> {
  return replyBatch(reply, cursor, "nextBatch", batchSize, () => cursor.exhausted ? 0n : cursor.id);
}

async function replyBatch(
  reply: BsonWriter,
  cursor: Cursor,
  field: string,
  batchSize: number,
  idAfter: () => bigint,
): Promise<void> {
  reply.header(BsonType.Object, "cursor");
  const document = reply.beginDocument();
  reply.header(BsonType.Array, field);
  const batch = reply.beginDocument();
  await cursor.fill(reply, batchSize);
  reply.endDocument(batch);
  for (const [name, value] of Object.entries(cursor.tailFields())) reply.value(name, value);
  reply.value("id", idAfter());
  reply.value("ns", cursor.namespace);
  const { atClusterTime } = cursor;
  if (atClusterTime !== undefined) reply.value("atClusterTime", new Timestamp(atClusterTime));
  reply.endDocument(document);
}

/** Documents at hand, as rows. */
export async function* rowsOf(documents: readonly Document[]): Rows {
  if (documents.length > 0) yield documents;
}
