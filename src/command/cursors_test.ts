import assert from "node:assert/strict";
import { CommandError, CURSOR_TIMEOUT_MS, MAX_DOCUMENT_BYTES } from "../base/mod.ts";
import { BsonWriter, BuiltDocument, type Document, RawDocument } from "../bson/mod.ts";
import { SimulatedClock } from "../io/mod.ts";
import type { Rows } from "../query/mod.ts";
import { type Cursor, CursorTable } from "./cursors.ts";

interface Watched {
  readonly rows: Rows;
  readonly ended: () => boolean;
}

/** Rows {n: 0}, {n: 1}, … in batches, and whether their generator has ended. */
function watchedRows(
  count: number,
  batchRows = 3,
  document = (n: number): Document => BuiltDocument.of({ n }),
): Watched {
  let ended = false;
  async function* generate(): Rows {
    try {
      for (let at = 0; at < count; at += batchRows) {
        const size = Math.min(batchRows, count - at);
        yield await Promise.resolve(Array.from({ length: size }, (_, i) => document(at + i)));
      }
    } finally {
      ended = true;
    }
  }
  return { rows: generate(), ended: () => ended };
}

async function fill(cursor: Cursor, size: number): Promise<unknown[]> {
  const writer = new BsonWriter();
  const start = writer.beginDocument();
  await cursor.fill(writer, size);
  writer.endDocument(start);
  return new RawDocument(writer.take()).values().map((value) => (value as Document).get("n"));
}

function codeOf(action: () => unknown): number | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof CommandError) return error.code;
    throw error;
  }
  return undefined;
}

const OPTIONS = { namespace: "a.b", work: undefined, sessionId: undefined };

Deno.test("batches follow each other without a gap, whatever the sizes", async () => {
  const table = new CursorTable(new SimulatedClock());
  for (const size of [1, 2, 3, 4, 100]) {
    const { rows, ended } = watchedRows(10);
    const cursor = table.create({ ...OPTIONS, rows });
    const all: unknown[] = [];
    while (!cursor.exhausted) all.push(...await fill(cursor, size));
    assert.deepEqual(all, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], `batches of ${size}`);
    assert.ok(ended());
  }
});

Deno.test("a batch that reaches the query's limit is the last", async () => {
  const { rows } = watchedRows(10);
  const cursor = new CursorTable(new SimulatedClock()).create({ ...OPTIONS, rows, limit: 4 });
  assert.deepEqual(await fill(cursor, 4), [0, 1, 2, 3]);
  assert.ok(cursor.exhausted);
});

Deno.test("a batch ends before 16 MB, and a document that is left comes with the next", async () => {
  const text = "x".repeat(6 * 1024 * 1024);
  const { rows } = watchedRows(5, 5, (n) => BuiltDocument.of({ n, text }));
  const cursor = new CursorTable(new SimulatedClock()).create({ ...OPTIONS, rows });
  assert.deepEqual(await fill(cursor, 100), [0, 1]);
  assert.deepEqual(await fill(cursor, 100), [2, 3]);
  assert.deepEqual(await fill(cursor, 100), [4]);
  const { rows: single } = watchedRows(
    1,
    1,
    (n) => BuiltDocument.of({ n, text: "x".repeat(MAX_DOCUMENT_BYTES - 30) }),
  );
  assert.deepEqual(
    await fill(new CursorTable(new SimulatedClock()).create({ ...OPTIONS, rows: single }), 5),
    [0],
  );
});

Deno.test("a cursor belongs to its namespace and its session and to one user at a time", async () => {
  const table = new CursorTable(new SimulatedClock());
  const free = table.create({ ...OPTIONS, rows: watchedRows(9).rows });
  const owned = table.create({ ...OPTIONS, rows: watchedRows(9).rows, sessionId: "s" });
  await table.keep(free);
  await table.keep(owned);
  assert.equal(codeOf(() => table.take(1n, "a.b", undefined)), 43);
  assert.equal(codeOf(() => table.take(free.id, "a.c", undefined)), 13);
  assert.equal(codeOf(() => table.take(free.id, "a.b", "s")), 50736);
  assert.equal(codeOf(() => table.take(owned.id, "a.b", undefined)), 50737);
  assert.equal(codeOf(() => table.take(owned.id, "a.b", "other")), 50738);
  assert.equal(table.take(free.id, "a.b", undefined), free);
  assert.equal(codeOf(() => table.take(free.id, "a.b", undefined)), 44);
  await table.giveBack(free);
  assert.equal(table.take(free.id, "a.b", undefined), free);
});

Deno.test("a killed cursor frees its rows, one in use when it is given back", async () => {
  const table = new CursorTable(new SimulatedClock());
  const idle = watchedRows(9);
  const busy = watchedRows(9);
  const idleCursor = table.create({ ...OPTIONS, rows: idle.rows });
  const busyCursor = table.create({ ...OPTIONS, rows: busy.rows });
  for (const cursor of [idleCursor, busyCursor]) {
    await fill(cursor, 1);
    await table.keep(cursor);
  }
  table.take(busyCursor.id, "a.b", undefined);
  assert.ok(await table.kill(idleCursor.id));
  assert.ok(await table.kill(busyCursor.id));
  assert.ok(!await table.kill(busyCursor.id));
  assert.deepEqual([idle.ended(), busy.ended(), table.size], [true, false, 1]);
  await table.giveBack(busyCursor);
  assert.deepEqual([busy.ended(), table.size], [true, 0]);
});

Deno.test("idle cursors outside sessions are closed after ten minutes", async () => {
  const clock = new SimulatedClock();
  const table = new CursorTable(clock);
  const options = [
    { sessionId: undefined, noTimeout: false },
    { sessionId: undefined, noTimeout: true },
    { sessionId: "s", noTimeout: false },
  ];
  for (const option of options) {
    await table.keep(table.create({ ...OPTIONS, ...option, rows: watchedRows(9).rows }));
  }
  clock.advance(CURSOR_TIMEOUT_MS - 1);
  assert.equal(table.size, 3);
  clock.advance(2 * 60_000);
  await Promise.resolve();
  assert.deepEqual([table.size, table.timedOut], [2, 1]);
  await table.close();
  assert.equal(table.size, 0);
});
