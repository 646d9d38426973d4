/**
 * The way of a few measurements into the log: checked, its meta made canonical, its bytes copied.
 *
 *     payload   byte version (1) | BSON documents, one behind the other
 *
 * Canonical is a meta whose documents have their fields sorted by the bytes of their names (stable, arrays keep their
 * order), so that equal series have equal bytes; everything else stays as it came. MongoDB does the same.
 */
import { assert, CommandError, MAX_DOCUMENT_BYTES } from "../../base/mod.ts";
import {
  BsonType,
  elementType,
  RawDocument,
  readInt64AsNumber,
  skipElement,
  validateValue,
  valueStart,
} from "../../bson/mod.ts";
import { ByteWriter, viewOf } from "../../column/mod.ts";
import { KeyTable } from "./key_table.ts";
import type { BatchLayout } from "./row_batch.ts";
import type { SeriesIndex } from "./series_index.ts";

const PAYLOAD_VERSION = 1;
/** Where the documents of a payload start. */
const DOCUMENTS_START = 1;

/** What a table's two special fields are called. */
export interface MeasurementFields {
  readonly timeField: string;
  readonly metaField: string | undefined;
}

/** What is known of a batch that was just laid out, and spares reading it again. */
export interface PreparedBatch {
  readonly layout: BatchLayout;
  /** The cache's numbers of its metas, which stand for them while the generation is the same. */
  readonly metas: { readonly numbers: readonly number[]; readonly generation: number } | undefined;
}

export interface PreparedInsert {
  /** What goes into the log; undefined when nothing was accepted. */
  readonly payload: Uint8Array | undefined;
  /** Where the payload is a batch. */
  readonly batch?: PreparedBatch;
  readonly accepted: number;
  /** What is wrong with the others, by their place in the request. */
  readonly errors: readonly { readonly index: number; readonly error: CommandError }[];
}

/**
 * Checks measurements and lays them out for the log.
 *
 * @param documents validated BSON
 * @param ordered stops at the first error
 * @param metas of the same table, kept from call to call
 */
export function prepareMeasurements(
  documents: readonly RawDocument[],
  ordered: boolean,
  timeField: string,
  metaField: string | undefined,
  metas: MetaCache,
): PreparedInsert {
  const out = new ByteWriter(
    DOCUMENTS_START + documents.reduce((sum, document) => sum + document.sizeBytes, 0),
  );
  out.byte(PAYLOAD_VERSION);
  const errors: { index: number; error: CommandError }[] = [];
  const copier = new MeasurementCopier(metaField, metas, out);
  let accepted = 0;
  for (let index = 0; index < documents.length; index++) {
    const document = documents[index]!;
    const error = checkMeasurement(document, timeField);
    if (error === undefined) {
      copier.add(document);
      accepted++;
    } else {
      errors.push({ index, error });
      if (ordered) break;
    }
  }
  copier.finish();
  return { payload: accepted === 0 ? undefined : out.written(), accepted, errors };
}

/** Where the documents of a payload start. */
export function documentsStart(payload: Uint8Array): number {
  const version = payload[0];
  assert(version === PAYLOAD_VERSION, `version ${version} of an insert's payload is known`);
  return DOCUMENTS_START;
}

/** The documents that stand one behind the other from `start` on. */
export function documentsFrom(bytes: Uint8Array, start: number): readonly RawDocument[] {
  const documents: RawDocument[] = [];
  for (let at = start; at < bytes.length; at = documents.at(-1)!.end) {
    documents.push(new RawDocument(bytes, at));
  }
  return documents;
}

/** Calls `visit` with the series and the time of each of the documents `bytes[start…]` whose series is in the index. */
export function visitMeasurements(
  bytes: Uint8Array,
  start: number,
  timeField: string,
  metaField: string | undefined,
  index: SeriesIndex,
  visit: (series: number, time: number) => void,
): void {
  const view = viewOf(bytes);
  for (let at = start; at < bytes.length;) {
    const document = new RawDocument(bytes, at);
    const time = document.find(timeField);
    assert(time >= 0, "a measurement has a time");
    const meta = metaField === undefined ? -1 : document.find(metaField);
    const series = meta < 0
      ? index.find(0, view, 0, 0)
      : index.find(elementType(bytes, meta), view, valueStart(bytes, meta), skipElement(bytes, meta));
    if (series >= 0) visit(series, readInt64AsNumber(bytes, valueStart(bytes, time)));
    at = document.end;
  }
}

/** What is wrong with a measurement. @param document validated BSON */
export function checkMeasurement(document: RawDocument, timeField: string): CommandError | undefined {
  if (document.sizeBytes > MAX_DOCUMENT_BYTES) {
    const size = `${document.sizeBytes} (0x${document.sizeBytes.toString(16).toUpperCase()})`;
    const text = `BSONObj size: ${size} is invalid. Size must be between 0 and ${MAX_DOCUMENT_BYTES}(16MB)`;
    return new CommandError("BSONObjectTooLarge", text);
  }
  const at = document.find(timeField);
  if (at < 0 || elementType(document.bytes, at) !== BsonType.Date) {
    const text = `'${timeField}' must be present and contain a valid BSON UTC datetime value`;
    return new CommandError("BadValue", text);
  }
  const ms = readInt64AsNumber(document.bytes, valueStart(document.bytes, at));
  if (ms <= Number.MAX_SAFE_INTEGER && ms >= Number.MIN_SAFE_INTEGER) return undefined;
  const text = `'${timeField}' must lie within 9007199254740991 milliseconds of 1970-01-01`;
  return new CommandError("BadValue", text);
}

/** Copies measurements, many at once: those of one message stand one behind the other. */
class MeasurementCopier {
  private bytes: Uint8Array | undefined;
  private view: DataView | undefined;
  /** What of `bytes` is still to be copied. */
  private start = 0;
  private end = 0;
  /** Metas to be put over the copies, and where in `out`. */
  private readonly metas: { readonly at: number; readonly canonical: Uint8Array }[] = [];

  constructor(
    private readonly metaField: string | undefined,
    private readonly cache: MetaCache,
    private readonly out: ByteWriter,
  ) {}

  add(document: RawDocument): void {
    if (document.bytes !== this.bytes || document.start !== this.end) {
      this.finish();
      this.bytes = document.bytes;
      this.view = viewOf(document.bytes, this.view);
      this.start = document.start;
    }
    this.end = document.end;
    this.addMeta(document, this.view!);
  }

  /** Copies all that was added. */
  finish(): void {
    const { bytes, start, end, metas, out } = this;
    if (bytes !== undefined) out.bytes(bytes.subarray(start, end));
    // Sorting moves fields and changes no length.
    for (const { at, canonical } of metas) out.overwrite(at, canonical);
    metas.length = 0;
    this.start = end;
  }

  private addMeta(document: RawDocument, view: DataView): void {
    const { bytes } = document;
    const at = this.metaField === undefined ? -1 : document.find(this.metaField);
    if (at < 0) return;
    const type = elementType(bytes, at);
    if (type !== BsonType.Object && type !== BsonType.Array) return;
    const value = valueStart(bytes, at);
    const number = this.cache.numberOf(type, bytes, view, value, skipElement(bytes, at));
    const canonical = this.cache.canonicalOf(number);
    if (canonical !== undefined) this.metas.push({ at: this.out.length + value - this.start, canonical });
  }
}

/** Entries and bytes of metas that are remembered as they came. */
const MAX_CACHED_METAS = 65_536;
const MAX_CACHED_BYTES = 8 << 20;
/** Fewer are soon learnt again. */
const FEW_CACHED_METAS = 1024;

/** Remembers the canonical form of metas as clients send them, so that a known one is only compared. */
export class MetaCache {
  /** How often all was forgotten. */
  generation = 0;
  private index = new KeyTable();
  private canonical: (Uint8Array | undefined)[] = [];
  /** The series of each meta, once it was asked for. */
  private readonly series: (number | undefined)[] = [];

  /** Forgets what is soon learnt again: a store may have thousands of tables that are seldom written to. */
  trim(): void {
    if (this.index.size > 0 && this.index.size < FEW_CACHED_METAS) this.clear();
  }

  /**
   * The number of the meta `bytes[start, end)`; it stands for that meta while `generation` is the same.
   *
   * @param view of `bytes`
   * @param isChecked whether the meta is known to be valid BSON; one that is here already is
   * @throws CommandError InvalidBSON
   */
  numberOf(
    type: number,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    end: number,
    isChecked = true,
  ): number {
    const known = this.index.known(type, view, start, end);
    if (known >= 0) return known;
    if (!isChecked && type !== 0) validateValue(bytes, view, type as BsonType, start, end);
    if (this.index.size >= MAX_CACHED_METAS || this.index.valueBytes() >= MAX_CACHED_BYTES) this.clear();
    this.canonical.push(
      isCanonical(bytes, type, start) ? undefined : canonicalBytes(bytes, type, start, end),
    );
    return this.index.numberOf(type, view, start, end);
  }

  /** The canonical bytes of a meta; undefined when it came so. */
  canonicalOf(number: number): Uint8Array | undefined {
    return this.canonical[number];
  }

  /** The series of a meta of the present generation in an index, always the same, that gives it a number if need be. */
  seriesOf(number: number, index: SeriesIndex): number {
    const known = this.series[number];
    if (known !== undefined) return known;
    const bytes = this.canonical[number] ?? this.index.bytesOf(number);
    const series = index.numberOf(this.index.typeOf(number), viewOf(bytes), 0, bytes.length);
    // Numbers are asked for in any order: no gaps.
    while (this.series.length < number) this.series.push(undefined);
    this.series[number] = series;
    return series;
  }

  private clear(): void {
    this.index = new KeyTable();
    this.canonical = [];
    this.series.length = 0;
    this.generation++;
  }
}

function canonicalBytes(bytes: Uint8Array, type: number, start: number, end: number): Uint8Array {
  const out = new ByteWriter(end - start);
  writeCanonical(bytes, type, start, end, out);
  return out.written();
}

/** Whether every document in the value has its fields sorted. */
function isCanonical(bytes: Uint8Array, type: number, start: number): boolean {
  if (type !== BsonType.Object && type !== BsonType.Array) return true;
  const isObject = type === BsonType.Object;
  let last = -1;
  for (let at = start + 4; bytes[at] !== 0; at = skipElement(bytes, at)) {
    if (isObject && last >= 0 && compareNames(bytes, last + 1, at + 1) > 0) return false;
    if (!isCanonical(bytes, bytes[at]!, valueStart(bytes, at))) return false;
    last = at;
  }
  return true;
}

function writeCanonical(bytes: Uint8Array, type: number, start: number, end: number, out: ByteWriter): void {
  if (type !== BsonType.Object && type !== BsonType.Array) return out.bytes(bytes.subarray(start, end));
  const elements: number[] = [];
  for (let at = start + 4; bytes[at] !== 0; at = skipElement(bytes, at)) elements.push(at);
  if (type === BsonType.Object) elements.sort((a, b) => compareNames(bytes, a + 1, b + 1));
  out.bytes(bytes.subarray(start, start + 4));
  for (const at of elements) {
    const value = valueStart(bytes, at);
    out.bytes(bytes.subarray(at, value));
    writeCanonical(bytes, bytes[at]!, value, skipElement(bytes, at), out);
  }
  out.byte(0);
}

/** Order of two names, each ended by a zero byte, by their bytes. */
function compareNames(bytes: Uint8Array, a: number, b: number): number {
  while (bytes[a] === bytes[b] && bytes[a] !== 0) {
    a++;
    b++;
  }
  return bytes[a]! - bytes[b]!;
}
