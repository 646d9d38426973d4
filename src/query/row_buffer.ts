/** Rows in the order in which they came, to be read as often as need be; what does not fit in memory is put aside. */
import { PIPELINE_BATCH_ROWS } from "../base/mod.ts";
import type { Document } from "../bson/mod.ts";
import type { QueryContext } from "./context.ts";
import { MemoryMeter, RowCopies } from "./memory.ts";
import { inBatches } from "./rows.ts";
import { RunReader, RunWriter } from "./sorted_runs.ts";
import type { Rows } from "./source.ts";
import type { SpillFile } from "./spill.ts";

export class RowBuffer {
  private readonly meter: MemoryMeter;
  private readonly copies = new RowCopies();
  private rows: Document[] = [];
  private file: SpillFile | undefined;
  /** Rows in the file, which come before those in memory. */
  private aside = 0;

  /** @param message what is said when rows do not fit and may not be put aside */
  constructor(message: string, private readonly context: QueryContext) {
    this.meter = new MemoryMeter(message, context.memory);
  }

  get length(): number {
    return this.aside + this.rows.length;
  }

  /** @throws CommandError QueryExceededMemoryLimitNoDiskUseAllowed (292), OutOfDiskSpace */
  add(row: Document): void {
    this.rows.push(this.copies.copyOf(row));
    if (!this.meter.tryAdd(this.meter.rowBytes(row))) this.putAside();
  }

  /** All rows so far. */
  async *read(): Rows {
    const { file, context } = this;
    if (file !== undefined) {
      const reader = new RunReader(file);
      for (let left = this.aside; left > 0; left -= PIPELINE_BATCH_ROWS) {
        const batch = Array.from({ length: Math.min(left, PIPELINE_BATCH_ROWS) }, () => reader.next()!);
        await context.checkpoint();
        yield batch;
      }
    }
    yield* inBatches(this.rows, context);
  }

  /** The rows are not needed any more. */
  free(): void {
    this.rows = [];
    this.meter.reset();
    if (this.file !== undefined) this.context.memory?.removeFile(this.file);
    this.file = undefined;
    this.aside = 0;
  }

  private putAside(): void {
    const { memory } = this.context;
    if (memory === undefined || !this.meter.maySpill) throw this.meter.exceeded();
    this.file ??= memory.createFile();
    const writer = new RunWriter(this.file);
    for (const row of this.rows) writer.add(row);
    writer.end();
    this.aside += this.rows.length;
    this.rows = [];
    this.meter.reset();
  }
}
