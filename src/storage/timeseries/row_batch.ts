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
import { pathKeyBytes, pathKeyOf, WHOLE } from "./shape.ts";

const VERSION = 3;
const WIDE_VERSION = 2;
const ALIGNMENT = 8;
const WORD_BYTES = 4;
const DOUBLE_BYTES = 8;
const NO_BYTES = new Uint8Array(0);
const NO_WORDS = new Int32Array(0);
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

/** What a batch says before its values. */
export interface BatchHead {
  readonly rows: number;
  /** Bytes of the rows as BSON. */
  readonly dataBytes: number;
  readonly timeField: string;
  readonly metaField: string | undefined;
  readonly metaCount: number;
  /** The keys of the columns' paths. */
  readonly pathKeys: readonly string[];
  /** The items of the shapes 1, 2 …, with the batch's own numbers of columns. */
  readonly shapes: readonly (readonly number[])[];
  /** Runs of rows of one shape: its number, and how many rows. */
  readonly shapeRuns: ArrayLike<number>;
  readonly shapeRunRows: ArrayLike<number>;
}

export interface RowBatch {
  readonly head: BatchHead;
  /** The values of the rows that have one. */
  readonly columns: readonly Column[];
  /** The documents of the rows kept whole. */
  readonly whole: Column;
  /** Milliseconds since 1970. */
  readonly times: Float64Array;
  /** The meta of each row; undefined where there is one meta. */
  readonly metaOfRow: Words | undefined;
}

/** What its writer or reader knows of a payload: enough to find the values in it. */
export interface BatchLayout {
  readonly head: BatchHead;
  /** Those of the rows kept whole are the last. */
  readonly columns: readonly ColumnHead[];
  readonly version: number;
  /** Where the times start. */
  readonly valuesAt: number;
}

interface ColumnHead {
  readonly type: number;
  readonly width: number;
  readonly wordBytes: number;
  readonly length: number;
}

/** The different metas, one behind the other in a buffer. */
export interface BatchMetas {
  readonly bytes: Uint8Array;
  readonly types: readonly number[];
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** @param metas what stands in the payload for them */
export function encodeRowBatch(batch: RowBatch, metas: Uint8Array, out: ByteWriter): BatchLayout {
  const { head } = batch;
  const { rows, timeField, metaField, metaCount } = head;
  out.byte(VERSION);
  out.varint(rows);
  out.varint(head.dataBytes);
  out.sizedBytes(ENCODER.encode(timeField));
  if (metaField === undefined) out.varint(0);
  else {
    const name = ENCODER.encode(metaField);
    out.varint(1 + name.length);
    out.bytes(name);
  }
  out.varint(metaCount);
  out.bytes(metas);
  const columns = batch.whole.length === 0 ? batch.columns : [...batch.columns, batch.whole];
  const heads = columns.map(columnHead);
  out.varint(columns.length);
  for (let i = 0; i < heads.length; i++) {
    const { type, width, wordBytes, length } = heads[i]!;
    out.sizedBytes(pathKeyBytes(head.pathKeys[i] ?? ""));
    out.byte(type);
    out.byte(1 + width);
    if (width === 1) out.byte(wordBytes);
    out.varint(length);
  }
  out.varint(head.shapes.length);
  for (const items of head.shapes) {
    out.varint(items.length);
    for (const item of items) out.varint(item);
  }
  const { shapeRuns, shapeRunRows } = head;
  out.varint(shapeRuns.length);
  for (let run = 0; run < shapeRuns.length; run++) {
    out.varint(shapeRuns[run]!);
    out.varint(shapeRunRows[run]!);
  }
  out.align(ALIGNMENT);
  const valuesAt = out.length;
  out.bytes(bytesOf(batch.times, rows));
  if (batch.metaOfRow !== undefined) writeWords(batch.metaOfRow, rows, metaNumberBytes(metaCount), out);
  for (let i = 0; i < columns.length; i++) writeColumn(columns[i]!, heads[i]!.wordBytes, out);
  return { head, columns: heads, version: VERSION, valuesAt };
}

function columnHead({ type, width, words, length }: Column): ColumnHead {
  const wordBytes = width === 1 ? bytesOfEach(words, length) : WORD_BYTES;
  return { type: type === MIXED ? NO_TYPE : type, width, wordBytes, length };
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

/** Reads what the payload of a batch says before its values. */
export function readBatchLayout(payload: Uint8Array): BatchLayout {
  assert(isRowBatch(payload), "the payload is a batch's");
  const reader = new ByteReader(payload);
  const version = reader.byte();
  const rows = reader.varint();
  const dataBytes = reader.varint();
  const timeField = DECODER.decode(reader.sizedBytes());
  const metaName = reader.varint();
  const metaField = metaName === 0 ? undefined : DECODER.decode(reader.bytes(metaName - 1));
  const metaCount = reader.varint();
  for (let left = metaCount; left > 0; left--) {
    reader.byte();
    reader.sizedBytes();
  }
  const pathKeys: string[] = [];
  const columns: ColumnHead[] = [];
  for (let left = reader.varint(); left > 0; left--) {
    pathKeys.push(pathKeyOf(reader.sizedBytes()));
    const type = reader.byte();
    const width = reader.byte() - 1;
    const wordBytes = width === 1 && version !== WIDE_VERSION ? reader.byte() : WORD_BYTES;
    columns.push({ type, width, wordBytes, length: reader.varint() });
  }
  const shapes = Array.from(
    { length: reader.varint() },
    () => Array.from({ length: reader.varint() }, () => reader.varint()),
  );
  const runs = reader.varint();
  const shapeRuns = new Int32Array(runs);
  const shapeRunRows = new Int32Array(runs);
  let hasWhole = false;
  for (let run = 0; run < runs; run++) {
    shapeRuns[run] = reader.varint();
    shapeRunRows[run] = reader.varint();
    if (shapeRuns[run] === WHOLE) hasWhole = true;
  }
  reader.align(ALIGNMENT);
  if (hasWhole) pathKeys.pop();
  const head = {
    rows,
    dataBytes,
    timeField,
    metaField,
    metaCount,
    pathKeys,
    shapes,
    shapeRuns,
    shapeRunRows,
  };
  return { head, columns, version, valuesAt: reader.position };
}

/** @param payload that of a batch; the columns are views of it, or of a copy */
export function decodeRowBatch(payload: Uint8Array, layout = readBatchLayout(payload)): RowBatch {
  const { head, version, valuesAt } = layout;
  const { rows, metaCount } = head;
  const bytes = payload.byteOffset % ALIGNMENT === 0 ? payload : payload.slice();
  const reader = new ByteReader(bytes, valuesAt);
  const timeBytes = reader.bytes(rows * DOUBLE_BYTES);
  const times = new Float64Array(timeBytes.buffer, timeBytes.byteOffset, rows);
  const metaBytes = version === WIDE_VERSION ? WORD_BYTES : metaNumberBytes(metaCount);
  const metaOfRow = metaCount === 1 ? undefined : readWords(reader, rows, metaBytes);
  const columns = layout.columns.map((column) => readColumn(reader, column));
  const whole = columns.length > head.pathKeys.length ? columns.pop()! : new Column();
  return { head, columns, whole, times, metaOfRow };
}

/** The different metas of a batch, by their numbers in it. */
export function metasOfBatch(payload: Uint8Array): BatchMetas {
  const reader = new ByteReader(payload, 1);
  reader.varint();
  reader.varint();
  reader.sizedBytes();
  const metaName = reader.varint();
  if (metaName > 0) reader.bytes(metaName - 1);
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
  return { bytes: payload, types, starts, ends };
}

/** How many measurements the payload of a batch holds. */
export function rowsOfBatch(payload: Uint8Array): number {
  return new ByteReader(payload, 1).varint();
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
