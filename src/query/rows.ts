/**
 * Rows on their way through a pipeline: batches of documents, pulled from the end. A stage that stops early leaves its
 * `for await` loop, and with that the stages before it and the scan are ended too.
 */
import { PIPELINE_BATCH_ROWS, takeLongWork } from "../base/mod.ts";
import type { Document } from "../bson/mod.ts";
import type { QueryContext } from "./context.ts";
import { keyedAs, KeyedRow } from "./keyed_row.ts";
import type { Rows } from "./source.ts";

type Batch = readonly Document[];

export async function* noRows(): Rows {}

/** A stage that makes of each row none, one or more, which it appends to `output`. Empty batches are not passed on. */
export async function* mapRows(
  input: Rows,
  context: QueryContext,
  transform: (row: Document, output: Document[]) => void,
): Rows {
  for await (const batch of input) {
    const output: Document[] = [];
    for (const row of batch) {
      const made = output.length;
      transform(row, output);
      if (row instanceof KeyedRow) {
        for (let i = made; i < output.length; i++) output[i] = keyedAs(row, output[i]!);
      }
      if (takeLongWork()) await context.checkpoint();
    }
    if (output.length > 0) yield output;
    await context.checkpoint();
  }
}

/** A stage that turns each batch into another one. Empty batches are not passed on. */
export async function* mapBatches(
  input: Rows,
  context: QueryContext,
  transform: (batch: Batch) => Batch,
): Rows {
  for await (const batch of input) {
    const output = transform(batch);
    if (output.length > 0) yield output;
    await context.checkpoint();
  }
}

/** Rows that are all in memory already, in batches. */
export async function* inBatches(rows: Batch, context: QueryContext): Rows {
  for (const batch of batchesOf(rows)) {
    await context.checkpoint();
    yield batch;
  }
}

/** Rows cut into batches of the usual size. */
export function* batchesOf(rows: Batch): Generator<Batch, void, undefined> {
  if (rows.length > 0 && rows.length <= PIPELINE_BATCH_ROWS) return yield rows;
  for (let at = 0; at < rows.length; at += PIPELINE_BATCH_ROWS) {
    yield rows.slice(at, at + PIPELINE_BATCH_ROWS);
  }
}

/** Rows whose errors are shown as `shown` has them, and at whose end, whatever ends them, `ended` is called. */
export class WatchedRows implements Rows {
  constructor(
    private readonly rows: Rows,
    private readonly shown: (error: unknown) => unknown,
    private readonly ended: () => void,
  ) {}

  async next(): Promise<IteratorResult<Batch, void>> {
    try {
      const result = await this.rows.next();
      if (result.done === true) this.ended();
      return result;
    } catch (error) {
      this.ended();
      throw this.shown(error);
    }
  }

  async return(): Promise<IteratorResult<Batch, void>> {
    try {
      return await this.rows.return();
    } catch (error) {
      throw this.shown(error);
    } finally {
      this.ended();
    }
  }

  async throw(error: unknown): Promise<IteratorResult<Batch, void>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}

/** No rows, once something is done: for stages that write. */
export async function* noRowsAfter(work: () => Promise<void>): Rows {
  await work();
  yield* [];
}

/** All rows, in memory. For results that are known to be small, and for tests. */
export async function collectRows(rows: Rows): Promise<Document[]> {
  const all: Document[] = [];
  for await (const batch of rows) all.push(...batch);
  return all;
}
