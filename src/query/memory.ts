/** How much a blocking stage holds: an estimate in bytes, checked against what the stage and the query may. */
import {
  assert,
  BLOCKING_STAGE_SHARE,
  CommandError,
  ErrorCode,
  MAX_BLOCKING_STAGE_BYTES,
  type MemoryBudget,
  type MemoryLease,
  ROW_COPY_CHUNK_BYTES,
} from "../base/mod.ts";
import {
  BsonWriter,
  BuiltDocument,
  Document,
  encodeDocument,
  isArray,
  RawDocument,
  type Value,
} from "../bson/mod.ts";
import { ColumnRow } from "./column_row.ts";
import { keyedAs, KeyedRow } from "./keyed_row.ts";
import type { SpillFile, SpillSpace } from "./spill.ts";

/** What an object costs beside its contents. */
export const OBJECT_BYTES = 48;
const SCALAR_BYTES = 16;
/** Of the rows that are neither bytes nor built here, one in so many is measured. */
const SAMPLE_INTERVAL = 64;

/**
 * Bytes that a value takes, about.
 *
 * @param most what takes more need not be looked at to its end: what an expression makes may have one value in many places
 */
export function approximateBytes(value: Value, most = Infinity): number {
  if (typeof value === "string") return SCALAR_BYTES + value.length;
  if (value instanceof RawDocument) return OBJECT_BYTES + value.sizeBytes;
  if (value instanceof Document) {
    return approximateBytesOfAll(value.values(), most) + value.names().length * 8;
  }
  if (isArray(value)) return approximateBytesOfAll(value, most);
  return SCALAR_BYTES;
}

/**
 * A value that keeps nothing alive but itself: a document that is a view of stored columns would keep all columns of its
 * page in memory.
 */
export function detached(value: Value): Value {
  return value instanceof Document ? detachedRow(value) : value;
}

/** As `detached`; of a view only the fields that are read later, where they are known. */
export function detachedRow(row: Document, fields?: ReadonlySet<string>): Document {
  if (row instanceof RawDocument || row instanceof BuiltDocument) return row;
  if (row instanceof KeyedRow) return keyedAs(row, detachedRow(row.row, fields));
  if (fields === undefined) return new RawDocument(encodeDocument(row).slice());
  const names = row.names().filter((name) => fields.has(name));
  return new BuiltDocument(names, names.map((name) => detached(row.get(name))));
}

/** Detaches values that follow each other: of a view that comes again, as the meta of a series does, there is one copy. */
export class SharedCopies {
  private last: Document = BuiltDocument.EMPTY;
  private copy: Document = BuiltDocument.EMPTY;

  /** As `detached`. */
  of(value: Value): Value {
    if (!(value instanceof Document) || value instanceof BuiltDocument) return value;
    if (value !== this.last) {
      this.copy = detachedRow(value);
      this.last = value;
    }
    return this.copy;
  }
}

/**
 * Copies rows that are held and let go together side by side: a buffer a row would cost more than the row, and leave the
 * allocator in pieces. One row keeps those beside it alive.
 */
export class RowCopies {
  private chunk: Uint8Array | undefined;
  private writer: BsonWriter | undefined;

  /** As `detachedRow`; a row of columns, which others hold and count, stays one. */
  copyOf(row: Document, fields?: ReadonlySet<string>): Document {
    if (row instanceof ColumnRow) return row;
    if (row instanceof RawDocument || row instanceof BuiltDocument || fields !== undefined) {
      return detachedRow(row, fields);
    }
    if (row instanceof KeyedRow) return keyedAs(row, this.copyOf(row.row));
    const writer = this.writer ??= new BsonWriter(0);
    const start = writer.length;
    row.writeTo(writer);
    const bytes = writer.take();
    if (bytes.buffer === this.chunk?.buffer) return new RawDocument(this.chunk, start);
    // It did not fit: the writer has moved to a larger buffer, of which only this row is needed.
    this.chunk = new Uint8Array(ROW_COPY_CHUNK_BYTES);
    this.writer = new BsonWriter(this.chunk);
    return new RawDocument(bytes.slice(start));
  }
}

function approximateBytesOfAll(values: readonly Value[], most: number): number {
  let bytes = OBJECT_BYTES;
  for (let i = 0; i < values.length && bytes <= most; i++) bytes += approximateBytes(values[i], most - bytes);
  return bytes;
}

/** What a query may hold, and where it puts what does not fit. Frees all of it at the query's end. */
export class QueryMemory {
  private readonly lease: MemoryLease;
  private readonly files = new Set<SpillFile>();
  private readonly parts: QueryMemory[] = [];
  private hasUsedDisk = false;

  /** @param space undefined where the client forbids the disk (`allowDiskUse: false`) */
  constructor(private readonly budget: MemoryBudget, private readonly space: SpillSpace | undefined) {
    this.lease = budget.lease();
  }

  /** What one blocking stage may hold, in bytes: MongoDB's 100 MB, less where memory is short. */
  get stageBytes(): number {
    return Math.min(MAX_BLOCKING_STAGE_BYTES, this.budget.share(BLOCKING_STAGE_SHARE));
  }

  /** Whether anything was ever put aside. */
  get usedDisk(): boolean {
    return this.hasUsedDisk;
  }

  /** As much again for a part of the query, which is to be watched alone; freed with the query. */
  part(): QueryMemory {
    const part = new QueryMemory(this.budget, this.space);
    this.parts.push(part);
    return part;
  }

  get mayUseDisk(): boolean {
    return this.space !== undefined;
  }

  /** Takes memory, if there is any; the first bytes of a stage are always there. */
  take(bytes: number, isNeeded: boolean): boolean {
    if (!isNeeded) return this.lease.tryGrow(bytes);
    this.lease.grow(bytes);
    return true;
  }

  give(bytes: number): void {
    // Stages may end after the query did.
    this.lease.shrink(Math.min(bytes, this.lease.bytes));
  }

  /** A new file of this query. Only where `mayUseDisk`. @throws CommandError OutOfDiskSpace */
  createFile(): SpillFile {
    assert(this.space !== undefined, "a query that may not use the disk does not");
    const file = this.space.create();
    this.hasUsedDisk = true;
    this.files.add(file);
    return file;
  }

  removeFile(file: SpillFile): void {
    this.files.delete(file);
    file.remove();
  }

  /** Nothing of the query is needed any more. */
  close(): void {
    this.lease.release();
    for (const file of this.files) file.remove();
    this.files.clear();
    for (const part of this.parts) part.close();
  }
}

/** A stage's memory grows by this much at once, and this much it has whatever others hold. */
const METER_STEP_BYTES = 256 * 1024;
const METER_LEAST_BYTES = 1024 * 1024;

/** Counts what one stage holds. */
export class MemoryMeter {
  private bytes = 0;
  private leased = 0;
  private viewBytes = 0;
  private views = 0;

  /**
   * @param message MongoDB's wording for this stage
   * @param memory of the query; without, only this stage's own limit counts
   * @param code of its error
   */
  constructor(
    private readonly message: string,
    private readonly memory?: QueryMemory,
    private readonly code: number = ErrorCode.QueryExceededMemoryLimitNoDiskUseAllowed,
  ) {}

  /** Bytes counted and not released. */
  get heldBytes(): number {
    return this.bytes;
  }

  /** Whether the stage may put aside what it holds when `isFull`. */
  get maySpill(): boolean {
    return this.memory?.mayUseDisk === true;
  }

  /** Counts bytes that the stage cannot put aside. @throws CommandError as `exceeded` */
  add(bytes: number): void {
    if (!this.tryAdd(bytes)) throw this.exceeded();
  }

  /** Counts bytes. @returns false when that is more than there is: something must be put aside, or the query fails */
  tryAdd(bytes: number): boolean {
    this.bytes += bytes;
    if (this.bytes <= this.leased) return true;
    const { memory } = this;
    const most = memory?.stageBytes ?? MAX_BLOCKING_STAGE_BYTES;
    if (this.bytes > most) return false;
    if (memory === undefined) return true;
    // No more than the stage may hold, so that what is leased may be held without another look.
    const missing = Math.min(Math.max(METER_STEP_BYTES, this.bytes - this.leased), most - this.leased);
    if (!memory.take(missing, this.bytes <= METER_LEAST_BYTES)) return false;
    this.leased += missing;
    return true;
  }

  /** Whether so much was released that going on makes sense. */
  isHalfEmpty(): boolean {
    return this.bytes <= (this.memory?.stageBytes ?? MAX_BLOCKING_STAGE_BYTES) / 2 && this.tryAdd(0);
  }

  exceeded(): CommandError {
    return new CommandError(this.code, this.message);
  }

  release(bytes: number): void {
    this.bytes -= bytes;
    const free = this.leased - this.bytes - METER_STEP_BYTES;
    if (free <= 0) return;
    this.leased -= free;
    this.memory?.give(free);
  }

  /** Nothing is held any more. */
  reset(): void {
    this.bytes = 0;
    this.memory?.give(this.leased);
    this.leased = 0;
  }

  /** Counts a row. @returns the bytes counted, for `release` */
  addRow(row: Document): number {
    const bytes = this.rowBytes(row);
    this.add(bytes);
    return bytes;
  }

  /** Bytes of a row that is held, about. A view of stored columns is measured now and then only: measuring decodes it. */
  rowBytes(row: Document): number {
    if (row instanceof KeyedRow) return this.rowBytes(row.row) + approximateBytes(row.sortKey);
    if (row instanceof ColumnRow) return OBJECT_BYTES;
    if (row instanceof RawDocument || row instanceof BuiltDocument) return approximateBytes(row);
    if (this.views++ % SAMPLE_INTERVAL === 0) this.viewBytes = approximateBytes(row);
    return this.viewBytes;
  }
}
