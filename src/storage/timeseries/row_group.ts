/**
 * A row group: up to 65,536 rows of one table, sorted by (series, time, arrival), their values in pages of 4,096 rows.
 *
 * The header says what is where. Sequences of numbers go through `column/codec/integer.ts` and `double.ts`:
 *
 *     varint rows | varint columns | each: varint length, path key
 *     varint series | their numbers | their rows
 *     varint shapes (without 0, the rows kept whole) | each: varint items, items as varints
 *     varint runs of one shape | their shapes | their rows
 *     page directory, one entry a page: of the times, of the rows kept whole, of each column
 *       values (0: no page) | bytes on disk | type sets | nulls | NaNs | min | max | sum | rest of the sum
 *       | flags (1: exact)
 *       each of these is one sequence over all pages, behind a varint of its length: a reader decodes what it asks for
 *
 * The pages lie one behind the other in the order of the directory, and the header behind them.
 */
import { PAGE_ROWS } from "../../base/mod.ts";
import {
  ByteReader,
  ByteWriter,
  decodeDoubles,
  decodeIntegers,
  encodeDoubles,
  encodeIntegers,
  type PageStatistics,
  skipIntegers,
} from "../../column/mod.ts";
import {
  FIRST_COLUMN_ITEM,
  isPathKey,
  Path,
  pathKeyBytes,
  pathKeyOf,
  Shape,
  type TableNames,
} from "./shape.ts";

/** Page columns that come before the table's own: the times, then the rows kept whole. */
export const TIME_PAGES = 0;
export const WHOLE_PAGES = 1;
export const FIRST_COLUMN_PAGES = 2;

/** A page as its writer leaves it. */
export interface WrittenPage extends PageStatistics {
  readonly sizeBytes: number;
}

/** A row group's header as its writer gathers it. */
export interface RowGroupHeader {
  readonly rows: number;
  readonly pathKeys: readonly string[];
  readonly series: readonly number[];
  readonly seriesRows: readonly number[];
  /** The items of the shapes 1, 2 … */
  readonly shapes: readonly (readonly number[])[];
  readonly shapeRuns: readonly number[];
  readonly shapeRunRows: readonly number[];
  /** Page column by page column, page by page. */
  readonly pages: readonly WrittenPage[];
}

/** Pages that a column of `rows` rows has. */
export function pageCount(rows: number): number {
  return Math.ceil(rows / PAGE_ROWS);
}

export function encodeRowGroup(header: RowGroupHeader, out: ByteWriter): void {
  out.varint(header.rows);
  out.varint(header.pathKeys.length);
  for (const key of header.pathKeys) {
    out.sizedBytes(pathKeyBytes(key));
  }
  out.varint(header.series.length);
  writeNumbers(header.series, out);
  writeNumbers(header.seriesRows, out);
  out.varint(header.shapes.length);
  for (const items of header.shapes) {
    out.varint(items.length);
    for (const item of items) out.varint(item);
  }
  out.varint(header.shapeRuns.length);
  writeNumbers(header.shapeRuns, out);
  writeNumbers(header.shapeRunRows, out);
  const { pages } = header;
  const present = pages.filter((page) => page.count > 0);
  const sequence = (write: (out: ByteWriter) => void) => {
    const bytes = new ByteWriter();
    write(bytes);
    out.sizedBytes(bytes.written());
  };
  const numbers = (values: readonly number[]) => sequence((bytes) => writeNumbers(values, bytes));
  numbers(pages.map((page) => page.count));
  numbers(present.map((page) => page.sizeBytes));
  numbers(present.map((page) => page.typeSet));
  numbers(present.map((page) => page.nulls));
  numbers(present.map((page) => page.nans));
  for (const field of ["min", "max", "sum", "sumRest"] as const) {
    const doubles = Float64Array.from(present, (page) => page[field]);
    sequence((bytes) => encodeDoubles(new Int32Array(doubles.buffer), doubles.length, bytes));
  }
  numbers(present.map((page) => Number(page.isExact)));
}

function writeNumbers(values: readonly number[], out: ByteWriter): void {
  encodeIntegers(Float64Array.from(values), values.length, out);
}

/** Where a page is and what is known of it; `offset` is 0 for one that has no values. */
export interface Page extends PageStatistics {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** A row group as its readers see it. */
export class RowGroup {
  /** Of runs of rows of one shape: the number of the shape, and where the rows end. */
  private readonly runShapes: Sequence;
  private readonly runEnds: Sequence;
  /** By number. */
  readonly shapes: readonly (Shape | undefined)[];
  /** The series of the rows, ascending, and where the rows of each end. */
  readonly series: Float64Array;
  readonly seriesEnds: Float64Array;
  readonly rows: number;
  readonly paths: readonly Path[];
  private readonly pages: PageDirectory;
  /** Of each page: the numbers of its rows' shapes, where anybody has asked where values are. */
  private readonly pageShapes: (Int32Array | undefined)[] = [];

  /**
   * @param firstOffset where in the file the first page is
   * @param known paths of a row group like this one: what is the same is not made again
   */
  constructor(bytes: Uint8Array, firstOffset: number, names: TableNames, known: readonly Path[] = []) {
    const reader = new ByteReader(bytes);
    this.rows = reader.varint();
    const columns = reader.varint();
    const paths = Array.from({ length: columns }, (_, column) => {
      const key = reader.sizedBytes();
      const like = known[column];
      return like !== undefined && isPathKey(key, like.key) ? like : new Path(pathKeyOf(key));
    });
    const areKnown = columns === known.length && paths.every((path, column) => path === known[column]);
    this.paths = areKnown ? known : paths;
    const series = reader.varint();
    this.series = readNumbers(reader, series);
    this.seriesEnds = readEnds(reader, series);
    const shapes: (Shape | undefined)[] = [undefined];
    for (let left = reader.varint(); left > 0; left--) {
      const items = Array.from({ length: reader.varint() }, () => reader.varint());
      shapes.push(new Shape(items, this.paths, names));
    }
    this.shapes = shapes;
    const runs = reader.varint();
    // Rows of many shapes have many runs, and of most columns nobody asks where they have values.
    this.runShapes = new Sequence(skippedNumbers(bytes, reader, runs), runs, readNumbers);
    this.runEnds = new Sequence(skippedNumbers(bytes, reader, runs), runs, readEnds);
    this.pages = new PageDirectory(
      reader,
      (columns + FIRST_COLUMN_PAGES) * pageCount(this.rows),
      firstOffset,
    );
  }

  /** About what this holds in memory. */
  get memoryBytes(): number {
    return 512 + this.pages.length * 200 + (this.series.length + this.runShapes.count) * 16 +
      this.paths.length * 200 + (this.runShapes.count > 1 ? this.rows * Int32Array.BYTES_PER_ELEMENT : 0);
  }

  /** Page `page` of a page column. */
  page(pageColumn: number, page: number): Page {
    return this.pages.at(pageColumn * pageCount(this.rows) + page);
  }

  /** The place among `series` of the first one from a number on; how many there are where there is none. */
  placeFrom(series: number): number {
    return firstAtLeast(this.series, series);
  }

  /** The place of a series among `series`, or -1. */
  placeOf(series: number): number {
    const place = this.placeFrom(series);
    return this.series[place] === series ? place : -1;
  }

  /** The first row of the series at a place. */
  firstRowOf(place: number): number {
    return place === 0 ? 0 : this.seriesEnds[place - 1]!;
  }

  /** The place among `series` of the one that a row is of. */
  placeOfRow(row: number): number {
    return firstAtLeast(this.seriesEnds, row + 1);
  }

  /** The shape of a row; undefined for one that is kept whole. */
  shapeOf(row: number): Shape | undefined {
    return this.shapes[this.shapeRuns[this.shapeRunOf(row)]!];
  }

  /** Of each run of rows of one shape: the shape's number. */
  get shapeRuns(): Float64Array {
    return this.runShapes.all;
  }

  /** Of each of these runs: where its rows end. */
  get shapeRunEnds(): Float64Array {
    return this.runEnds.all;
  }

  /** The place among `shapeRuns` of the one that a row is in. */
  shapeRunOf(row: number): number {
    return firstAtLeast(this.shapeRunEnds, row + 1);
  }

  /** For each row of a page, and for their end, how many before it have a value there; undefined where each has one. */
  placesInPage(pageColumn: number, page: number): Int32Array | undefined {
    const rows = Math.min(PAGE_ROWS, this.rows - page * PAGE_ROWS);
    return this.page(pageColumn, page).count === rows ? undefined : this.placesOfValues(pageColumn, page);
  }

  private placesOfValues(pageColumn: number, page: number): Int32Array {
    const hasValue = this.shapesWith(pageColumn);
    const shapes = this.shapesInPage(page);
    const places = new Int32Array(shapes.length + 1);
    let values = 0;
    for (let row = 0; row < shapes.length; row++) {
      places[row] = values;
      values += hasValue[shapes[row]!]!;
    }
    places[shapes.length] = values;
    return places;
  }

  /** Of each shape, 1 where its rows have a value in a page column. */
  private shapesWith(pageColumn: number): Uint8Array {
    const { shapes } = this;
    const item = pageColumn - FIRST_COLUMN_PAGES + FIRST_COLUMN_ITEM;
    const hasValue = new Uint8Array(shapes.length);
    for (let i = 0; i < shapes.length; i++) {
      const shape = shapes[i];
      hasValue[i] = Number(pageColumn === WHOLE_PAGES ? shape === undefined : shape?.items.includes(item));
    }
    return hasValue;
  }

  /** The numbers of the shapes of a page's rows: of neighbours that differ, several columns mostly lack values. */
  private shapesInPage(page: number): Int32Array {
    return this.pageShapes[page] ??= this.expandShapes(page);
  }

  private expandShapes(page: number): Int32Array {
    const first = page * PAGE_ROWS;
    const { shapeRuns, shapeRunEnds } = this;
    const shapes = new Int32Array(Math.min(this.rows - first, PAGE_ROWS));
    for (let run = this.shapeRunOf(first), row = 0; row < shapes.length; run++) {
      const shape = shapeRuns[run]!;
      for (const end = Math.min(shapes.length, shapeRunEnds[run]! - first); row < end; row++) {
        shapes[row] = shape;
      }
    }
    return shapes;
  }
}

/** What is known of all pages: decoded field by field, as it is asked for. */
class PageDirectory {
  /** An object is made of a page that is asked for, as most are not. */
  private readonly made: (Page | undefined)[];
  readonly counts: Float64Array;
  /** Where each page is among those that have values, or -1. */
  private readonly places: Int32Array;
  readonly offsets: Float64Array;
  readonly sizes: Float64Array;
  readonly typeSets: Sequence;
  readonly nulls: Sequence;
  readonly nans: Sequence;
  readonly mins: Sequence;
  readonly maxs: Sequence;
  readonly sums: Sequence;
  readonly rests: Sequence;
  readonly exact: Sequence;

  constructor(reader: ByteReader, readonly length: number, firstOffset: number) {
    this.made = new Array(length);
    this.counts = readNumbers(new ByteReader(reader.sizedBytes()), length);
    this.places = new Int32Array(length);
    let present = 0;
    for (let i = 0; i < length; i++) this.places[i] = this.counts[i] === 0 ? -1 : present++;
    this.sizes = readNumbers(new ByteReader(reader.sizedBytes()), present);
    this.offsets = new Float64Array(present);
    for (let i = 0, offset = firstOffset; i < present; offset += this.sizes[i++]!) this.offsets[i] = offset;
    const sequence = (read: typeof readNumbers) => new Sequence(reader.sizedBytes(), present, read);
    this.typeSets = sequence(readNumbers);
    this.nulls = sequence(readNumbers);
    this.nans = sequence(readNumbers);
    this.mins = sequence(readDoubles);
    this.maxs = sequence(readDoubles);
    this.sums = sequence(readDoubles);
    this.rests = sequence(readDoubles);
    this.exact = sequence(readNumbers);
  }

  at(index: number): Page {
    return this.made[index] ??= this.make(index);
  }

  private make(index: number): Page {
    const place = this.places[index]!;
    return place < 0 ? NO_PAGE : new DirectoryPage(this, index, place);
  }
}

/** Numbers that are decoded when one of them is first asked for. */
class Sequence {
  private values: Float64Array | undefined;

  constructor(
    private readonly bytes: Uint8Array,
    readonly count: number,
    private readonly read: (reader: ByteReader, count: number) => Float64Array,
  ) {}

  get all(): Float64Array {
    return this.values ??= this.read(new ByteReader(this.bytes), this.count);
  }

  at(place: number): number {
    return this.all[place]!;
  }
}

class DirectoryPage implements Page {
  readonly offset: number;
  readonly sizeBytes: number;
  readonly count: number;

  constructor(private readonly directory: PageDirectory, index: number, private readonly place: number) {
    this.offset = directory.offsets[place]!;
    this.sizeBytes = directory.sizes[place]!;
    this.count = directory.counts[index]!;
  }

  get typeSet(): number {
    return this.directory.typeSets.at(this.place);
  }

  get nulls(): number {
    return this.directory.nulls.at(this.place);
  }

  get nans(): number {
    return this.directory.nans.at(this.place);
  }

  get min(): number {
    return this.directory.mins.at(this.place);
  }

  get max(): number {
    return this.directory.maxs.at(this.place);
  }

  get sum(): number {
    return this.directory.sums.at(this.place);
  }

  get sumRest(): number {
    return this.directory.rests.at(this.place);
  }

  get isExact(): boolean {
    return this.directory.exact.at(this.place) === 1;
  }
}

const NO_STATISTICS: PageStatistics = {
  count: 0,
  nulls: 0,
  typeSet: 0,
  nans: 0,
  min: Infinity,
  max: -Infinity,
  sum: 0,
  sumRest: 0,
  isExact: true,
};
/** What stands for a page without values. */
export const NO_WRITTEN_PAGE: WrittenPage = { ...NO_STATISTICS, sizeBytes: 0 };
const NO_PAGE: Page = { ...NO_STATISTICS, offset: 0, sizeBytes: 0 };

function readNumbers(reader: ByteReader, count: number): Float64Array {
  const values = new Float64Array(count);
  decodeIntegers(reader, count, values);
  return values;
}

/** Numbers that are how many there are of each: where those of each end. */
function readEnds(reader: ByteReader, count: number): Float64Array {
  return runningSum(readNumbers(reader, count));
}

/** The bytes of numbers that are not decoded yet. */
function skippedNumbers(bytes: Uint8Array, reader: ByteReader, count: number): Uint8Array {
  const start = reader.position;
  skipIntegers(reader, count);
  return bytes.subarray(start, reader.position);
}

function readDoubles(reader: ByteReader, count: number): Float64Array {
  const values = new Float64Array(count);
  decodeDoubles(reader, count, new Int32Array(values.buffer));
  return values;
}

function runningSum(values: Float64Array): Float64Array {
  for (let i = 1; i < values.length; i++) values[i] = values[i]! + values[i - 1]!;
  return values;
}

/** The first index whose value, in ascending `values`, is at least `wanted`. */
function firstAtLeast(values: Float64Array, wanted: number): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
