/**
 * Values by their place: appended at the end, read at any place, mostly near the last ones read. What does not fit in
 * memory is put aside in pages, each one document:
 *
 *     {v: [<value>, …], n: [<how often each is repeated>, …], m: [<place in v of one that is missing>, …], k: [<sort key>, …]}
 *
 * `n`, `m` and `k` stand there only where there is something to say.
 */
import { PIPELINE_BATCH_ROWS, SPILL_CHUNK_BYTES } from "../base/mod.ts";
import {
  BuiltDocument,
  Document,
  encodeDocument,
  Int32,
  isArray,
  RawDocument,
  type Value,
} from "../bson/mod.ts";
import type { QueryContext } from "./context.ts";
import { KeyedRow, withoutKey } from "./keyed_row.ts";
import { approximateBytes, MemoryMeter } from "./memory.ts";
import type { SpillFile } from "./spill.ts";
import { ValueColumn } from "./value_column.ts";

/** The lists of one stage, which share its memory. */
export class SpilledLists {
  private readonly meter: MemoryMeter;
  private readonly lists = new Set<SpilledList>();

  /** @param code and `message`: what is said when they do not fit and may not be put aside */
  constructor(code: number, message: string, private readonly context: QueryContext) {
    this.meter = new MemoryMeter(message, context.memory, code);
  }

  /** A new list. */
  list(): SpilledList {
    const list = new SpilledList({
      bytesOf: (value) => value instanceof Document ? this.meter.rowBytes(value) : approximateBytes(value),
      take: (bytes) => this.take(bytes),
    });
    this.lists.add(list);
    return list;
  }

  /** A list is not needed any more. */
  free(list: SpilledList): void {
    this.lists.delete(list);
    this.meter.release(list.heldBytes);
    const file = list.end();
    if (file !== undefined) this.context.memory?.removeFile(file);
  }

  freeAll(): void {
    for (const list of this.lists) this.free(list);
  }

  /** @throws CommandError that of the stage, OutOfDiskSpace */
  private take(bytes: number): void {
    if (this.meter.tryAdd(bytes)) return;
    const { memory } = this.context;
    if (memory === undefined || !this.meter.maySpill) throw this.meter.exceeded();
    for (const list of this.lists) list.putAside(() => memory.createFile());
    this.meter.reset();
  }
}

/** What a list asks of the memory that it shares. */
interface Share {
  readonly bytesOf: (value: Value) => number;
  readonly take: (bytes: number) => void;
}

interface Page {
  /** The place of its first value, and the one behind its last. */
  readonly from: number;
  readonly to: number;
  readonly offset: number;
  readonly sizeBytes: number;
  /** While it is among those read last. */
  values?: readonly Value[];
}

/** Pages of one list that stay decoded: windows are read at both ends and at their row. */
const PAGES_AT_HAND = 4;

export class SpilledList {
  private readonly held: ValueColumn;
  private bytes = 0;
  /** Values that were put aside, which come before those in memory. */
  private aside = 0;
  private readonly pages: Page[] = [];
  private readonly atHand: Page[] = [];
  private file: SpillFile | undefined;

  constructor(private readonly share: Share) {
    this.held = new ValueColumn(share.bytesOf);
  }

  get length(): number {
    return this.aside + this.held.length;
  }

  /** Bytes counted for what is in memory. */
  get heldBytes(): number {
    return this.bytes;
  }

  /** Adds a value that keeps nothing else alive. @throws CommandError as the lists say */
  push(value: Value): void {
    const bytes = this.held.push(value);
    this.bytes += bytes;
    this.share.take(bytes);
  }

  at(place: number): Value {
    return place >= this.aside ? this.held.at(place - this.aside) : this.asideAt(place);
  }

  /** What is in memory goes to the list's file. */
  putAside(newFile: () => SpillFile): void {
    const { held } = this;
    if (held.length === 0) return;
    this.file ??= newFile();
    for (const values of pagesOf(Array.from({ length: held.length }, (_, place) => held.at(place)))) {
      const page = encodeDocument(pageDocument(values));
      const from = this.aside;
      this.aside += values.length;
      this.pages.push({ from, to: this.aside, offset: this.file.sizeBytes, sizeBytes: page.length });
      this.file.append(page);
    }
    held.clear();
    this.bytes = 0;
  }

  /** Lets go of everything. @returns the file, which is to be removed */
  end(): SpillFile | undefined {
    const { file } = this;
    this.held.clear();
    this.bytes = 0;
    this.aside = this.pages.length = this.atHand.length = 0;
    this.file = undefined;
    return file;
  }

  private asideAt(place: number): Value {
    const page = this.atHand.find(({ from, to }) => from <= place && place < to) ?? this.fetch(place);
    return page.values![place - page.from];
  }

  private fetch(place: number): Page {
    const page = this.pages[pageWith(this.pages, place)]!;
    const bytes = new Uint8Array(page.sizeBytes);
    this.file!.readAt(bytes, page.offset);
    page.values = pageValues(new RawDocument(bytes));
    this.atHand.unshift(page);
    if (this.atHand.length > PAGES_AT_HAND) delete this.atHand.pop()!.values;
    return page;
  }
}

function pageWith(pages: readonly Page[], place: number): number {
  let low = 0;
  let high = pages.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (pages[middle]!.to <= place) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The values of each page: as many as a batch has, fewer where they are large. */
function* pagesOf(values: readonly Value[]): Iterable<readonly Value[]> {
  let start = 0;
  let bytes = 0;
  for (let i = 0; i < values.length; i++) {
    if (i === start || !Object.is(values[i], values[i - 1])) bytes += approximateBytes(values[i]);
    if (bytes < SPILL_CHUNK_BYTES && i + 1 - start < PIPELINE_BATCH_ROWS) continue;
    yield values.slice(start, i + 1);
    start = i + 1;
    bytes = 0;
  }
  if (start < values.length) yield values.slice(start);
}

function pageDocument(values: readonly Value[]): Document {
  const distinct: Value[] = [];
  const counts: number[] = [];
  values.forEach((value, i) => {
    if (i > 0 && Object.is(value, values[i - 1])) counts[counts.length - 1]!++;
    else counts.push(distinct.push(value) && 1);
  });
  const missing = distinct.flatMap((value, i) => value === undefined ? [Int32.of(i)] : []);
  const keys = distinct.map((value) => value instanceof KeyedRow ? value.sortKey : null);
  return BuiltDocument.of({
    v: distinct.map((value) =>
      value === undefined ? null : value instanceof Document ? withoutKey(value) : value
    ),
    n: counts.length === values.length ? undefined : counts.map((count) => Int32.of(count)),
    m: missing.length === 0 ? undefined : missing,
    k: keys.every((key) => key === null) ? undefined : keys,
  });
}

function pageValues(page: Document): readonly Value[] {
  const distinct = [...page.get("v") as readonly Value[]];
  const keys = page.get("k");
  if (isArray(keys)) {
    keys.forEach((key, i) => {
      if (isArray(key)) distinct[i] = KeyedRow.of(distinct[i] as Document, key);
    });
  }
  for (const place of numbersOf(page.get("m"))) distinct[place] = undefined;
  const counts = page.get("n");
  if (counts === undefined) return distinct;
  return numbersOf(counts).flatMap((count, i) => new Array<Value>(count).fill(distinct[i]));
}

function numbersOf(value: Value): readonly number[] {
  return isArray(value) ? value.map((item) => (item as Int32).value) : [];
}
