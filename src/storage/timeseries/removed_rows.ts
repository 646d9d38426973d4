/**
 * Which measurements a change takes away, so that every replica and every replay finds the same, whatever it has flushed
 * or merged: a span of the rows of one series, from one place to another, both included. A place is a time and an
 * ordinal: that of the row among the rows of its series and time that are there before the change, in order of arrival.
 *
 *     blocks    varint spans (0: the end) | integers: series of each | first times | first ordinals
 *               | last time − first time | last ordinals
 *
 * Spans ascend by series, then place, and do not overlap. A series has its number: numbers are given in the order of the
 * log and never again. A span may hold thousands of rows; a single row is one with both places the same.
 */
import { ByteReader, ByteWriter, decodeIntegers, encodeIntegers } from "../../column/mod.ts";

const BLOCK_SPANS = 4096;
/** A difference of times that an integer can hold. */
const LONGEST_SPAN_MS = Number.MAX_SAFE_INTEGER;

/** Spans side by side: number i of each array. */
export interface SpanBlock {
  readonly count: number;
  readonly series: Float64Array;
  /** Milliseconds since 1970. */
  readonly fromMs: Float64Array;
  readonly fromOrdinals: Float64Array;
  readonly toMs: Float64Array;
  readonly toOrdinals: Float64Array;
}

/** A row as a scan for a change meets it. */
export interface RowPlace {
  readonly series: number;
  readonly time: number;
  readonly ordinal: number;
  /** Rows of one series whose visits follow each other have no row between them. */
  readonly visit: number;
}

/** Writes spans, given in order, in blocks. */
export class SpanWriter {
  private out = new ByteWriter();
  private readonly block = newBlock(BLOCK_SPANS);
  private count = 0;
  /** Spans so far. */
  spans = 0;
  /** Of these, the ones that hold more than one row. */
  longSpans = 0;

  get sizeBytes(): number {
    return this.out.length + this.count * 3;
  }

  add(series: number, fromMs: number, fromOrdinal: number, toMs: number, toOrdinal: number): void {
    const { block, count } = this;
    block.series[count] = series;
    block.fromMs[count] = fromMs;
    block.fromOrdinals[count] = fromOrdinal;
    block.toMs[count] = toMs - fromMs;
    block.toOrdinals[count] = toOrdinal;
    this.spans++;
    if (fromMs !== toMs || fromOrdinal !== toOrdinal) this.longSpans++;
    this.count++;
    if (this.count === BLOCK_SPANS) this.writeBlock();
  }

  /** All spans as bytes; the writer is empty then. */
  take(): Uint8Array {
    if (this.count > 0) this.writeBlock();
    this.out.varint(0);
    const bytes = this.out.written();
    this.out = new ByteWriter();
    this.spans = 0;
    this.longSpans = 0;
    return bytes;
  }

  private writeBlock(): void {
    const { out, block, count } = this;
    out.varint(count);
    for (const values of [block.series, block.fromMs, block.fromOrdinals, block.toMs, block.toOrdinals]) {
      encodeIntegers(values.subarray(0, count), count, out);
    }
    this.count = 0;
  }
}

/** Reads what a `SpanWriter` wrote, block by block. */
export function* readSpans(reader: ByteReader): Generator<SpanBlock, void, undefined> {
  for (let count = reader.varint(); count > 0; count = reader.varint()) {
    const block = newBlock(count);
    for (const values of [block.series, block.fromMs, block.fromOrdinals, block.toMs, block.toOrdinals]) {
      decodeIntegers(reader, count, values);
    }
    for (let i = 0; i < count; i++) block.toMs[i]! += block.fromMs[i]!;
    yield { count, ...block };
  }
}

/** Gathers rows one by one, in the order of the scan, and joins neighbours to spans. */
export class RemovedRows {
  private writer = new SpanWriter();
  private series = -1;
  private fromMs = 0;
  private fromOrdinal = 0;
  private toMs = 0;
  private toOrdinal = 0;
  private visit = -1;

  /** About what `take` would give. */
  get sizeBytes(): number {
    return this.writer.sizeBytes;
  }

  get isEmpty(): boolean {
    return this.series < 0 && this.writer.spans === 0;
  }

  add({ series, time, ordinal, visit }: RowPlace): void {
    const continues = series === this.series && visit === this.visit + 1 &&
      time - this.fromMs <= LONGEST_SPAN_MS;
    if (!continues) {
      this.closeSpan();
      this.series = series;
      this.fromMs = time;
      this.fromOrdinal = ordinal;
    }
    this.toMs = time;
    this.toOrdinal = ordinal;
    this.visit = visit;
  }

  /** The rows as bytes, and whether any span holds more than one; nothing is gathered then. */
  take(): { readonly bytes: Uint8Array; readonly hasLongSpans: boolean } {
    this.closeSpan();
    const hasLongSpans = this.writer.longSpans > 0;
    return { bytes: this.writer.take(), hasLongSpans };
  }

  private closeSpan(): void {
    if (this.series < 0) return;
    this.writer.add(this.series, this.fromMs, this.fromOrdinal, this.toMs, this.toOrdinal);
    this.series = -1;
  }
}

function newBlock(length: number): Omit<SpanBlock, "count"> {
  const [series, fromMs, fromOrdinals, toMs, toOrdinals] = [0, 0, 0, 0, 0].map(() =>
    new Float64Array(length)
  );
  return {
    series: series!,
    fromMs: fromMs!,
    fromOrdinals: fromOrdinals!,
    toMs: toMs!,
    toOrdinals: toOrdinals!,
  };
}
