/**
 * The way of many measurements into the log: each checked and taken apart in one walk over its bytes, its values put into
 * columns (row_batch.ts). Few go as documents (measurement.ts): a batch's head would be longer than they are.
 */
import { MAX_DOCUMENT_BYTES } from "../../base/mod.ts";
import {
  BsonType,
  type RawDocument,
  readInt64AsNumber,
  skipElement,
  validateDocument,
  validateDocuments,
  valueStart,
} from "../../bson/mod.ts";
import { ByteWriter, Column, grownInt32, viewOf } from "../../column/mod.ts";
import {
  checkMeasurement,
  type MeasurementFields,
  type MetaCache,
  type PreparedInsert,
} from "./measurement.ts";
import { encodeRowBatch } from "./row_batch.ts";
import { RowProgram } from "./row_program.ts";
import { renumbered, WHOLE } from "./shape.ts";
import type { ShapeTrie } from "./shape_trie.ts";
import { runsOf } from "./value_runs.ts";

const INITIAL_ROWS = 1024;
/** Columns are kept for the next batch while they hold no more than this together. */
const MAX_KEPT_BYTES = 4 << 20;
const NONE = -1;
const NO_VIEW: DataView = viewOf(new Uint8Array(0));

/** Where a batch comes from. */
export interface BatchTarget extends MeasurementFields {
  readonly trie: ShapeTrie;
  readonly metas: MetaCache;
  /** Whether documents are known to be valid, or only their lengths. */
  readonly areChecked: boolean;
}

/** Makes one batch after another, of any tables. */
export class RowBatchBuilder {
  private rows = 0;
  private dataBytes = 0;
  private times = new Float64Array(INITIAL_ROWS);
  private shapes: Int32Array = new Int32Array(INITIAL_ROWS);
  private metaOfRow: Int32Array = new Int32Array(INITIAL_ROWS);
  /** By the trie's numbers. */
  private columns: Column[] = [];
  private whole = new Column();
  private readonly metas = new ByteWriter();
  private metaCount = 0;
  /** The batch's numbers of metas by the cache's, `NONE` for those that it has not, and which it has. */
  private numbers: Int32Array = new Int32Array(0);
  private readonly numbered: number[] = [];
  private generation = 0;
  /** By shape, for each trie. */
  private readonly programsOf = new WeakMap<ShapeTrie, Map<number, RowProgram>>();
  /** Those of the batch's trie, and the one of the last document's shape. */
  private programs = new Map<number, RowProgram>();
  private program: RowProgram | undefined;
  private view = NO_VIEW;

  /**
   * Checks measurements and lays them out for the log.
   *
   * @param ordered stops at the first error
   * @throws CommandError InvalidBSON
   */
  prepare(documents: readonly RawDocument[], ordered: boolean, target: BatchTarget): PreparedInsert {
    const errors: PreparedInsert["errors"][number][] = [];
    this.programs = this.programsFor(target.trie);
    try {
      for (let index = 0; index < documents.length; index++) {
        const document = documents[index]!;
        if (this.add(document, target)) continue;
        const error = checkMeasurement(document, target.timeField);
        if (error === undefined) {
          this.addWhole(document, target);
          continue;
        }
        errors.push({ index, error });
        if (!ordered) continue;
        // Those behind are not stored, but one that is not valid lets all of them fail.
        if (!target.areChecked) validateDocuments(documents.slice(index + 1));
        break;
      }
      const accepted = this.rows;
      const encoded = accepted === 0 ? { payload: undefined } : this.encode(target);
      return { ...encoded, accepted, errors };
    } finally {
      this.reset();
    }
  }

  /** Adds a measurement that has a shape; false where it has none, or is no measurement. */
  private add(document: RawDocument, target: BatchTarget): boolean {
    const { bytes, start, sizeBytes } = document;
    if (sizeBytes > MAX_DOCUMENT_BYTES) return false;
    const { trie } = target;
    const view = this.view = viewOf(bytes, this.view);
    const { program } = this;
    if (program?.run(bytes, view, start, this.columns) === true) {
      const { time, shape, metaType, metaStart, metaEnd } = program;
      trie.noteWalk();
      this.addRow(target, time, shape, metaType, bytes, metaStart, metaEnd, sizeBytes);
      return true;
    }
    if (!target.areChecked) validateDocument(bytes, start, document.end, view);
    const shape = trie.match(bytes, view, start);
    if (shape === WHOLE || trie.timeType !== BsonType.Date) return false;
    const time = readInt64AsNumber(bytes, trie.timeStart);
    if (!(time <= Number.MAX_SAFE_INTEGER && time >= Number.MIN_SAFE_INTEGER)) return false;
    const { columns } = this;
    for (let i = 0; i < trie.valueCount; i++) {
      const number = trie.columns[i]!;
      while (number >= columns.length) columns.push(new Column());
      columns[number]!.append(trie.types[i]!, view, trie.starts[i]!, trie.ends[i]!);
    }
    if (trie.remainder.count > 0) this.addRemainder(trie);
    else this.chooseProgram(shape, trie, bytes, start);
    const { metaType, metaStart, metaEnd } = trie;
    this.addRow(target, time, shape, metaType, bytes, metaStart, metaEnd, sizeBytes);
    return true;
  }

  private programsFor(trie: ShapeTrie): Map<number, RowProgram> {
    let programs = this.programsOf.get(trie);
    if (programs === undefined) {
      programs = new Map();
      this.programsOf.set(trie, programs);
    }
    return programs;
  }

  /** The next document may be like this one; a program is made once two of its shape have come in turn. */
  private chooseProgram(shape: number, trie: ShapeTrie, bytes: Uint8Array, start: number): void {
    this.program = this.programs.get(shape);
    if (this.program !== undefined || this.rows === 0 || this.shapes[this.rows - 1] !== shape) return;
    this.program = new RowProgram(shape, trie, bytes, start);
    this.programs.set(shape, this.program);
  }

  private addRemainder({ remainder, remainderColumn }: ShapeTrie): void {
    while (remainderColumn >= this.columns.length) this.columns.push(new Column());
    const value = remainder.finish();
    this.columns[remainderColumn]!.append(BsonType.Object, viewOf(value), 0, value.length);
  }

  /** Adds a measurement that is kept whole; its time and meta are found by name. */
  private addWhole(document: RawDocument, target: BatchTarget): void {
    const { bytes, start, end, sizeBytes } = document;
    const time = readInt64AsNumber(bytes, valueStart(bytes, document.find(target.timeField)));
    const meta = target.metaField === undefined ? NONE : document.find(target.metaField);
    const type = meta < 0 ? 0 : bytes[meta]!;
    const value = meta < 0 ? 0 : valueStart(bytes, meta);
    const valueEnd = meta < 0 ? 0 : skipElement(bytes, meta);
    const number = this.addRow(target, time, WHOLE, type, bytes, value, valueEnd, sizeBytes);
    const canonical = target.metas.canonicalOf(number);
    if (canonical === undefined) this.whole.append(BsonType.Object, this.view, start, end);
    else {
      const whole = bytes.slice(start, end);
      // Sorting moves fields and changes no length.
      whole.set(canonical, value - start);
      this.whole.append(BsonType.Object, viewOf(whole), 0, whole.length);
    }
  }

  /** @returns the cache's number of the meta */
  private addRow(
    { metas, areChecked }: BatchTarget,
    time: number,
    shape: number,
    metaType: number,
    bytes: Uint8Array,
    metaStart: number,
    metaEnd: number,
    sizeBytes: number,
  ): number {
    const row = this.rows++;
    if (row === this.times.length) this.grow();
    this.times[row] = time;
    this.shapes[row] = shape;
    const number = metas.numberOf(metaType, bytes, this.view, metaStart, metaEnd, areChecked);
    if (metas.generation !== this.generation) this.forgetMetas(metas.generation);
    if (number >= this.numbers.length) this.growNumbers(number + 1);
    let own = this.numbers[number]!;
    if (own === NONE) {
      own = this.metaCount++;
      this.numbers[number] = own;
      this.numbered.push(number);
      this.metas.byte(metaType);
      this.metas.sizedBytes(metas.canonicalOf(number) ?? bytes.subarray(metaStart, metaEnd));
    }
    this.metaOfRow[row] = own;
    this.dataBytes += sizeBytes;
    return number;
  }

  private encode({ timeField, metaField, trie }: BatchTarget): Pick<PreparedInsert, "payload" | "batch"> {
    const { rows, times, metaCount, metas, whole } = this;
    const numbers = new Map<number, number>();
    const pathKeys: string[] = [];
    const columns: Column[] = [];
    let bytes = 0;
    for (const [number, column] of this.columns.entries()) {
      if (column.length === 0) continue;
      numbers.set(number, columns.length);
      columns.push(column);
      pathKeys.push(trie.paths[number]!.key);
      bytes += column.memoryBytes;
    }
    const runs = runsOf(this.shapes.subarray(0, rows));
    const shapes: number[][] = [];
    const numberOfShape = new Map<number, number>([[WHOLE, WHOLE]]);
    for (const shape of runs.values) {
      if (numberOfShape.has(shape)) continue;
      const items = renumbered(trie.shapes[shape]!.items, (column) => numbers.get(column)!);
      numberOfShape.set(shape, shapes.push(items));
    }
    const head = {
      rows,
      dataBytes: this.dataBytes,
      timeField,
      metaField,
      metaCount,
      pathKeys,
      shapes,
      shapeRuns: runs.values.map((shape) => numberOfShape.get(shape)!),
      shapeRunRows: runs.lengths,
    };
    const out = new ByteWriter(metas.length + rows * 12 + bytes + whole.memoryBytes);
    const metaOfRow = metaCount === 1 ? undefined : this.metaOfRow;
    const layout = encodeRowBatch({ head, columns, whole, times, metaOfRow }, metas.written(), out);
    // The cache may have been emptied on the way.
    const knowsMetas = this.numbered.length === metaCount;
    const batchMetas = knowsMetas
      ? { numbers: this.numbered.slice(), generation: this.generation }
      : undefined;
    return { payload: out.written(), batch: { layout, metas: batchMetas } };
  }

  private reset(): void {
    const kept = this.columns.reduce((sum, column) => sum + column.memoryBytes, this.whole.memoryBytes);
    if (kept > MAX_KEPT_BYTES) {
      this.columns = [];
      this.whole = new Column();
    } else {
      for (const column of this.columns) column.clear();
      this.whole.clear();
    }
    // A message is not to be kept for the next one.
    this.view = NO_VIEW;
    this.program = undefined;
    this.rows = 0;
    this.dataBytes = 0;
    this.metas.reset();
    this.metaCount = 0;
    this.forgetMetas(this.generation);
  }

  private forgetMetas(generation: number): void {
    for (const number of this.numbered) this.numbers[number] = NONE;
    this.numbered.length = 0;
    this.generation = generation;
  }

  private grow(): void {
    const length = this.times.length * 2;
    const times = new Float64Array(length);
    times.set(this.times);
    this.times = times;
    this.shapes = grownInt32(this.shapes, length);
    this.metaOfRow = grownInt32(this.metaOfRow, length);
  }

  private growNumbers(atLeast: number): void {
    const before = this.numbers.length;
    this.numbers = grownInt32(this.numbers, Math.max(INITIAL_ROWS, before * 2, atLeast)).fill(NONE, before);
  }
}
