/**
 * External merge sort (Knuth, The Art of Computer Programming 3, 5.4): rows that do not fit in memory are written in sorted
 * runs, each a file of BSON documents one after another, and read back merged. (A row with a sort key is written as a
 * zero where the length of a document would be, `{k: <key>}` and the row.) Rows of equal keys come in the order of
 * their runs, and within one as it has them: the sort is stable. Never more than `FAN_IN` runs are merged at once: so many
 * neighbours of one size become one run of the next.
 */
import { PIPELINE_BATCH_ROWS, SPILL_CHUNK_BYTES, SPILL_FAN_IN } from "../base/mod.ts";
import { BsonWriter, BuiltDocument, type Document, RawDocument, readInt32, type Value } from "../bson/mod.ts";
import type { QueryContext } from "./context.ts";
import { KeyedRow } from "./keyed_row.ts";
import type { QueryMemory } from "./memory.ts";
import type { Rows } from "./source.ts";
import type { SpillFile } from "./spill.ts";

interface Run {
  readonly file: SpillFile;
  /** How often its rows were merged. */
  readonly level: number;
}

export class SortedRuns<Key> {
  private runs: Run[] = [];

  /**
   * @param keyOf what a row, read back, sorts by
   * @param order negative, zero or positive as a key stands before, with or after another
   */
  constructor(
    private readonly memory: QueryMemory,
    private readonly keyOf: (row: Document) => Key,
    private readonly order: (a: Key, b: Key) => number,
  ) {}

  /** Whether anything was put aside. */
  get isEmpty(): boolean {
    return this.runs.length === 0;
  }

  /** Puts sorted rows aside, which come behind all earlier ones. @throws CommandError OutOfDiskSpace */
  async add(rows: Iterable<Document>, context: QueryContext): Promise<void> {
    const file = this.memory.createFile();
    const writer = new RunWriter(file);
    let count = 0;
    for (const row of rows) {
      writer.add(row);
      if (count++ % PIPELINE_BATCH_ROWS === 0) await context.checkpoint();
    }
    writer.end();
    this.runs.push({ file, level: 0 });
    await this.mergeFullLevels(context);
  }

  /** All rows in order, those in memory (sorted, the last to come) among them. Frees the files. */
  async *merged(rest: Iterable<Document>, context: QueryContext): Rows {
    while (this.runs.length > SPILL_FAN_IN) await this.mergeLast(SPILL_FAN_IN, context);
    const cursors: RowCursor[] = this.runs.map(({ file }) => new RunReader(file));
    yield* this.merge([...cursors, new IterableCursor(rest)], context);
    for (const { file } of this.runs.splice(0)) this.memory.removeFile(file);
  }

  private async mergeFullLevels(context: QueryContext): Promise<void> {
    for (;;) {
      const last = this.runs[this.runs.length - 1]!.level;
      const first = this.runs[this.runs.length - SPILL_FAN_IN];
      if (first === undefined || first.level !== last) return;
      await this.mergeLast(SPILL_FAN_IN, context);
    }
  }

  private async mergeLast(count: number, context: QueryContext): Promise<void> {
    const runs = this.runs.splice(-count);
    const file = this.memory.createFile();
    const writer = new RunWriter(file);
    for await (const batch of this.merge(runs.map((run) => new RunReader(run.file)), context)) {
      for (const row of batch) writer.add(row);
    }
    writer.end();
    for (const run of runs) this.memory.removeFile(run.file);
    this.runs.push({ file, level: Math.max(...runs.map((run) => run.level)) + 1 });
  }

  private async *merge(cursors: readonly RowCursor[], context: QueryContext): Rows {
    const heap = new MergeHeap<Key>(this.order);
    cursors.forEach((cursor, place) => {
      const row = cursor.next();
      if (row !== undefined) heap.push({ cursor, place, row, key: this.keyOf(row) });
    });
    let batch: Document[] = [];
    for (let top = heap.top(); top !== undefined; top = heap.top()) {
      batch.push(top.row);
      const row = top.cursor.next();
      if (row === undefined) {
        heap.pop();
      } else {
        top.row = row;
        top.key = this.keyOf(row);
        heap.sink();
      }
      if (batch.length < PIPELINE_BATCH_ROWS) continue;
      yield batch;
      batch = [];
      await context.checkpoint();
    }
    if (batch.length > 0) yield batch;
  }
}

/** In the place of a document's length. */
const KEY_AHEAD = 0;

/** Writes rows into a file, a chunk at a time. */
export class RunWriter {
  private readonly writer = new BsonWriter(SPILL_CHUNK_BYTES);

  constructor(private readonly file: SpillFile) {}

  add(row: Document): void {
    if (row instanceof KeyedRow) {
      this.writer.int32(KEY_AHEAD);
      new BuiltDocument(["k"], [row.sortKey]).writeTo(this.writer);
    }
    row.writeTo(this.writer);
    if (this.writer.length >= SPILL_CHUNK_BYTES) this.end();
  }

  /** All rows so far are in the file. */
  end(): void {
    this.file.append(this.writer.copyAndReset());
  }
}

const LENGTH_BYTES = 4;

interface RowCursor {
  next(): Document | undefined;
}

class IterableCursor implements RowCursor {
  private readonly rows: Iterator<Document>;

  constructor(rows: Iterable<Document>) {
    this.rows = rows[Symbol.iterator]();
  }

  next(): Document | undefined {
    const { done, value } = this.rows.next();
    return done === true ? undefined : value;
  }
}

/** Reads the rows of a file in turn. A row that is held keeps its chunk alive. */
export class RunReader implements RowCursor {
  private chunk = new Uint8Array(0);
  /** Where the next row starts: in the chunk, and in the file. */
  private at = 0;
  private offset = 0;

  constructor(private readonly file: SpillFile) {}

  next(): Document | undefined {
    if (this.offset >= this.file.sizeBytes) return undefined;
    this.fetch(LENGTH_BYTES);
    if (readInt32(this.chunk, this.at) !== KEY_AHEAD) return this.document();
    this.pass(LENGTH_BYTES);
    const key = this.document().get("k") as readonly Value[];
    return KeyedRow.of(this.document(), key);
  }

  private document(): RawDocument {
    this.fetch(LENGTH_BYTES);
    const length = readInt32(this.chunk, this.at);
    this.fetch(length);
    const document = new RawDocument(this.chunk, this.at);
    this.pass(length);
    return document;
  }

  private pass(bytes: number): void {
    this.at += bytes;
    this.offset += bytes;
  }

  /** So many bytes are in the chunk. */
  private fetch(bytes: number): void {
    if (this.chunk.length - this.at < bytes) this.read(Math.max(SPILL_CHUNK_BYTES, bytes));
  }

  private read(bytes: number): void {
    this.chunk = new Uint8Array(Math.min(bytes, this.file.sizeBytes - this.offset));
    this.file.readAt(this.chunk, this.offset);
    this.at = 0;
  }
}

interface HeapEntry<Key> {
  readonly cursor: RowCursor;
  readonly place: number;
  row: Document;
  key: Key;
}

/** A binary heap of the next rows of all runs. */
class MergeHeap<Key> {
  private readonly entries: HeapEntry<Key>[] = [];

  constructor(private readonly order: (a: Key, b: Key) => number) {}

  top(): HeapEntry<Key> | undefined {
    return this.entries[0];
  }

  push(entry: HeapEntry<Key>): void {
    const { entries } = this;
    let at = entries.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.isBefore(entry, entries[parent]!)) break;
      entries[at] = entries[parent]!;
      at = parent;
    }
    entries[at] = entry;
  }

  pop(): void {
    const last = this.entries.pop()!;
    if (this.entries.length === 0) return;
    this.entries[0] = last;
    this.sink();
  }

  /** Moves the first entry, whose row changed, to its place. */
  sink(): void {
    const { entries } = this;
    const entry = entries[0]!;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= entries.length) break;
      if (child + 1 < entries.length && this.isBefore(entries[child + 1]!, entries[child]!)) child++;
      if (!this.isBefore(entries[child]!, entry)) break;
      entries[at] = entries[child]!;
      at = child;
    }
    entries[at] = entry;
  }

  private isBefore(a: HeapEntry<Key>, b: HeapEntry<Key>): boolean {
    const order = this.order(a.key, b.key);
    return order < 0 || (order === 0 && a.place < b.place);
  }
}
