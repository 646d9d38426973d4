/**
 * Many measurements of one insert in columns, as the log holds them: a tenth of their documents' bytes where these are
 * alike, and copied into a memtable column by column. It names all that it needs, so that it can be read alone.
 *
 *     payload   byte version (3; in version 2 all words take four bytes)
 *               | varint rows | varint bytes of the documents
 *               | varint length, timeField | varint 1 + length, metaField (0: there is none)
 *               | varint metas | each, canonical: byte type (0: none), varint length, value
 *               | varint columns | each: varint length, path key | byte type (0: mixed) | byte 1 + width
 *                 | where the width is 1: byte bytes of a word (1, 2, 4) | varint values
 *               | varint shapes | each: varint items, items as varints (shape.ts)
 *               | varint runs of one shape | each: varint shape (0: kept whole), varint rows
 *               | times as doubles
 *               | the meta of each row, where there are several, as a word of as few bytes as their number needs
 *               | each column: its types as bytes where they are mixed, then words, or ends as words and bytes (column.ts)
 *
 * Times, words and bytes of a column each start at a multiple of eight. Columns that no shape names are the rows kept
 * whole: one at most, the last.
 */
import { assert } from "../../base/mod.ts";
import {
  ByteReader,
  BYTES,
  bytesFor,
  bytesOfEach,
  type ByteWriter,
  Column,
  MIXED,
  NO_TYPE,
  type Words,
  wordsOver,
  zeroWords,
} from "../../column/mod.ts";
import { pathKeyBytes, pathKeyOf } from "./shape.ts";

const VERSION = 3;
const WIDE_VERSION = 2;
const ALIGNMENT = 8;
const WORD_BYTES = 4;
const DOUBLE_BYTES = 8;
const NO_BYTES = new Uint8Array(0);
const NO_WORDS = new Int32Array(0);

export interface RowBatch {
  readonly rows: number;
  /** Bytes of the rows as BSON. */
  readonly dataBytes: number;
  readonly timeField: string;
  readonly metaField: string | undefined;
  /** The different metas: their types, and where their values are in `bytes`. */
  readonly metas: BatchMetas;
  /** The keys of the columns' paths. */
  readonly pathKeys: readonly string[];
  /** The values of the rows that have one. */
  readonly columns: readonly Column[];
  /** The documents of the rows kept whole. */
  readonly whole: Column;
  /** The items of the shapes 1, 2 …, with the batch's own numbers of columns. */
  readonly shapes: readonly (readonly number[])[];
  /** Runs of rows of one shape: its number, and how many rows. */
  readonly shapeRuns: ArrayLike<number>;
  readonly shapeRunRows: ArrayLike<number>;
  /** Milliseconds since 1970. */
  readonly times: Float64Array;
  /** The meta of each row; undefined where there is one meta. */
  readonly metaOfRow: Words | undefined;
}

/** Metas one behind the other in a buffer. */
export interface BatchMetas {
  readonly bytes: Uint8Array;
  readonly types: readonly number[];
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** @param metas what stands in the payload for them; the batch's own are not read */
export function encodeRowBatch(
  batch: Omit<RowBatch, "metas">,
  metaCount: number,
  metas: Uint8Array,
  out: ByteWriter,
): void {
  out.byte(VERSION);
  out.varint(batch.rows);
  out.varint(batch.dataBytes);
  const { timeField, metaField } = batch;
  const encoder = new TextEncoder();
  out.sizedBytes(encoder.encode(timeField));
  if (metaField === undefined) out.varint(0);
  else {
    const name = encoder.encode(metaField);
    out.varint(1 + name.length);
    out.bytes(name);
  }
  out.varint(metaCount);
  out.bytes(metas);
  const columns = batch.whole.length === 0 ? batch.columns : [...batch.columns, batch.whole];
  out.varint(columns.length);
  const wordBytes = columns.map(({ width, words, length }) =>
    width === 1 ? bytesOfEach(words, length) : WORD_BYTES
  );
  for (const [i, { type, width, length }] of columns.entries()) {
    out.sizedBytes(pathKeyBytes(batch.pathKeys[i] ?? ""));
    out.byte(type === MIXED ? NO_TYPE : type);
    out.byte(1 + width);
    if (width === 1) out.byte(wordBytes[i]!);
    out.varint(length);
  }
  out.varint(batch.shapes.length);
  for (const items of batch.shapes) {
    out.varint(items.length);
    for (const item of items) out.varint(item);
  }
  const { shapeRuns, shapeRunRows } = batch;
  out.varint(shapeRuns.length);
  for (let run = 0; run < shapeRuns.length; run++) {
    out.varint(shapeRuns[run]!);
    out.varint(shapeRunRows[run]!);
  }
  out.align(ALIGNMENT);
  out.bytes(bytesOf(batch.times, batch.rows));
  if (batch.metaOfRow !== undefined) writeWords(batch.metaOfRow, batch.rows, metaNumberBytes(metaCount), out);
  for (const [i, column] of columns.entries()) writeColumn(column, wordBytes[i]!, out);
}

function metaNumberBytes(metaCount: number): number {
  return bytesFor(0, metaCount - 1);
}

function writeColumn(column: Column, wordBytes: number, out: ByteWriter): void {
  const { types, width, words, ends, arena, length } = column;
  if (types !== undefined) {
    out.align(ALIGNMENT);
    out.bytes(types.subarray(0, length));
  }
  out.align(ALIGNMENT);
  if (width !== BYTES) return writeWords(words, length * width, wordBytes, out);
  out.bytes(bytesOf(ends, length));
  out.bytes(arena.subarray(0, ends[length - 1]));
}

function writeWords(words: Words, count: number, bytesEach: number, out: ByteWriter): void {
  if (bytesEach === words.BYTES_PER_ELEMENT) return out.bytes(bytesOf(words, count));
  const narrow = zeroWords(count, bytesEach);
  narrow.set(words.subarray(0, count));
  out.bytes(bytesOf(narrow, count));
}

/** Whether the payload of an insert is a batch. */
export function isRowBatch(payload: Uint8Array): boolean {
  return payload[0] === VERSION || payload[0] === WIDE_VERSION;
}

/** @param payload that of a batch; the columns are views of it, or of a copy */
export function decodeRowBatch(payload: Uint8Array): RowBatch {
  const bytes = payload.byteOffset % ALIGNMENT === 0 ? payload : payload.slice();
  const reader = new ByteReader(bytes);
  const version = reader.byte();
  assert(isRowBatch(payload), "the payload is a batch's");
  const decoder = new TextDecoder();
  const rows = reader.varint();
  const dataBytes = reader.varint();
  const timeField = decoder.decode(reader.sizedBytes());
  const metaName = reader.varint();
  const metaField = metaName === 0 ? undefined : decoder.decode(reader.bytes(metaName - 1));
  const metas = readMetas(reader, bytes);
  const pathKeys: string[] = [];
  const heads: ColumnHead[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    pathKeys.push(pathKeyOf(reader.sizedBytes()));
    const type = reader.byte();
    const width = reader.byte() - 1;
    const wordBytes = width === 1 && version !== WIDE_VERSION ? reader.byte() : WORD_BYTES;
    heads.push({ type, width, wordBytes, length: reader.varint() });
  }
  const shapes = Array.from(
    { length: reader.varint() },
    () => Array.from({ length: reader.varint() }, () => reader.varint()),
  );
  const runs = reader.varint();
  const shapeRuns = new Int32Array(runs);
  const shapeRunRows = new Int32Array(runs);
  let wholeRows = 0;
  for (let run = 0; run < runs; run++) {
    shapeRuns[run] = reader.varint();
    shapeRunRows[run] = reader.varint();
    if (shapeRuns[run] === 0) wholeRows += shapeRunRows[run]!;
  }
  reader.align(ALIGNMENT);
  const timeBytes = reader.bytes(rows * DOUBLE_BYTES);
  const times = new Float64Array(timeBytes.buffer, timeBytes.byteOffset, rows);
  const metaBytes = version === WIDE_VERSION ? WORD_BYTES : metaNumberBytes(metas.types.length);
  const metaOfRow = metas.types.length === 1 ? undefined : readWords(reader, rows, metaBytes);
  const columns = heads.map((head) => readColumn(reader, head));
  const whole = wholeRows === 0 ? new Column() : columns.pop()!;
  pathKeys.length = columns.length;
  return {
    rows,
    dataBytes,
    timeField,
    metaField,
    metas,
    pathKeys,
    columns,
    whole,
    shapes,
    shapeRuns,
    shapeRunRows,
    times,
    metaOfRow,
  };
}

/** How many measurements the payload of a batch holds. */
export function rowsOfBatch(payload: Uint8Array): number {
  return new ByteReader(payload, 1).varint();
}

interface ColumnHead {
  readonly type: number;
  readonly width: number;
  readonly wordBytes: number;
  readonly length: number;
}

function readMetas(reader: ByteReader, bytes: Uint8Array): BatchMetas {
  const types: number[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    types.push(reader.byte());
    const length = reader.varint();
    starts.push(reader.position);
    reader.bytes(length);
    ends.push(reader.position);
  }
  return { bytes, types, starts, ends };
}

function readColumn(reader: ByteReader, { type, width, wordBytes, length }: ColumnHead): Column {
  let types: Uint8Array | undefined;
  if (type === NO_TYPE) {
    reader.align(ALIGNMENT);
    types = reader.bytes(length);
  }
  reader.align(ALIGNMENT);
  const isBytes = width === BYTES;
  const words = isBytes ? NO_WORDS : readWords(reader, length * width, wordBytes);
  const ends = isBytes ? readWords(reader, length, WORD_BYTES) as Int32Array : NO_WORDS;
  const arena = isBytes ? reader.bytes(ends[length - 1]!) : NO_BYTES;
  return Column.over({ type: types === undefined ? type : MIXED, types, width, words, ends, arena, length });
}

function readWords(reader: ByteReader, count: number, bytesEach: number): Words {
  const bytes = reader.bytes(count * bytesEach);
  return wordsOver(bytes.buffer, bytes.byteOffset, count, bytesEach);
}

function bytesOf(values: Float64Array | Int32Array | Int16Array | Int8Array, count: number): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, count * values.BYTES_PER_ELEMENT);
}
