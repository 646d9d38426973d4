/** How much a blocking stage holds: an estimate in bytes, checked against the limit. */
import { CommandError, MAX_BLOCKING_STAGE_BYTES } from "../base/mod.ts";
import { BuiltDocument, Document, isArray, RawDocument, type Value } from "../bson/mod.ts";

/** What an object costs beside its contents. */
const OBJECT_BYTES = 48;
const SCALAR_BYTES = 16;
/** Of the rows that are neither bytes nor built here, one in so many is measured. */
const SAMPLE_INTERVAL = 64;

/** Bytes that a value takes, about. */
export function approximateBytes(value: Value): number {
  if (typeof value === "string") return SCALAR_BYTES + value.length;
  if (value instanceof RawDocument) return OBJECT_BYTES + value.sizeBytes;
  if (value instanceof Document) return approximateBytesOfAll(value.values()) + value.names().length * 8;
  if (isArray(value)) return approximateBytesOfAll(value);
  return SCALAR_BYTES;
}

function approximateBytesOfAll(values: readonly Value[]): number {
  let bytes = OBJECT_BYTES;
  for (const value of values) bytes += approximateBytes(value);
  return bytes;
}

/** Counts what one stage holds. */
export class MemoryMeter {
  private bytes = 0;
  private viewBytes = 0;
  private views = 0;

  /** @param message MongoDB's wording for this stage */
  constructor(private readonly message: string, private readonly limitBytes = MAX_BLOCKING_STAGE_BYTES) {}

  /** Bytes counted and not released. */
  get heldBytes(): number {
    return this.bytes;
  }

  /** @throws CommandError QueryExceededMemoryLimitNoDiskUseAllowed (292) */
  add(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes > this.limitBytes) {
      throw new CommandError("QueryExceededMemoryLimitNoDiskUseAllowed", this.message);
    }
  }

  release(bytes: number): void {
    this.bytes -= bytes;
  }

  /** Counts a row. @returns the bytes counted, for `release` */
  addRow(row: Document): number {
    const bytes = this.rowBytes(row);
    this.add(bytes);
    return bytes;
  }

  /** A view of stored columns is measured now and then only: measuring decodes it. */
  private rowBytes(row: Document): number {
    if (row instanceof RawDocument || row instanceof BuiltDocument) return approximateBytes(row);
    if (this.views++ % SAMPLE_INTERVAL === 0) this.viewBytes = approximateBytes(row);
    return this.viewBytes;
  }
}
