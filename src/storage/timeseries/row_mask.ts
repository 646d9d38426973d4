/**
 * Which rows of a memtable or a row group are gone: a bit a row, in pages of `PAGE_ROWS` rows, made where there are any.
 *
 * A mask never changes. A change makes another one, which shares the pages that stayed as they were: a reader keeps the
 * mask it began with.
 */
import { PAGE_ROWS } from "../../base/mod.ts";

const WORD_BITS = 32;
const PAGE_WORDS = PAGE_ROWS / WORD_BITS;

export class RowMask {
  constructor(
    /** Row r is bit r mod `PAGE_ROWS` of page ⌊r / `PAGE_ROWS`⌋, the lowest bit of a word first; no page: no bits. */
    readonly pages: readonly (Uint32Array | undefined)[],
    /** Rows that are gone. */
    readonly count: number,
  ) {}

  has(row: number): boolean {
    const page = this.pages[Math.floor(row / PAGE_ROWS)];
    return page !== undefined && bitOf(page, row % PAGE_ROWS);
  }

  /** The first row of `[row, end)` that is left, or `end`. */
  nextLeft(row: number, end: number): number {
    while (row < end && this.has(row)) row++;
    return row;
  }

  /** The first row of `[row, end)` that is gone, or `end`. */
  nextGone(row: number, end: number): number {
    while (row < end && !this.has(row)) {
      // Pages without bits are passed at once.
      row = this.pages[Math.floor(row / PAGE_ROWS)] === undefined
        ? (Math.floor(row / PAGE_ROWS) + 1) * PAGE_ROWS
        : row + 1;
    }
    return Math.min(row, end);
  }

  /** Calls `visit` with each row that is gone, ascending. */
  forEach(visit: (row: number) => void): void {
    this.pages.forEach((page, number) => {
      page?.forEach((word, index) => {
        const first = number * PAGE_ROWS + index * WORD_BITS;
        for (let left = word; left !== 0; left &= left - 1) visit(first + lowestBit(left));
      });
    });
  }
}

/** Makes a mask out of another one (or none) and further rows. */
export class RowMaskBuilder {
  private pages: (Uint32Array | undefined)[];
  /** Whether a page is this builder's own, to be changed. */
  private readonly isOwn: boolean[] = [];
  private count: number;

  constructor(private readonly base: RowMask | undefined) {
    this.pages = base === undefined ? [] : [...base.pages];
    this.count = base?.count ?? 0;
  }

  has(row: number): boolean {
    const page = this.pages[Math.floor(row / PAGE_ROWS)];
    return page !== undefined && bitOf(page, row % PAGE_ROWS);
  }

  add(row: number): void {
    this.addRange(row, row + 1);
  }

  /** Adds rows `[first, end)`. */
  addRange(first: number, end: number): void {
    for (let from = first; from < end;) {
      const page = Math.floor(from / PAGE_ROWS);
      const to = Math.min(end, (page + 1) * PAGE_ROWS);
      this.count += setBits(this.ownPage(page), from - page * PAGE_ROWS, to - page * PAGE_ROWS);
      from = to;
    }
  }

  addAll(mask: RowMask): void {
    mask.pages.forEach((words, page) => {
      if (words === undefined) return;
      const own = this.ownPage(page);
      for (let i = 0; i < PAGE_WORDS; i++) {
        this.count += bitsIn(words[i]! & ~own[i]!);
        own[i]! |= words[i]!;
      }
    });
  }

  /** The mask; undefined when no row is gone. What this gave is not changed by later additions. */
  build(): RowMask | undefined {
    if (this.count === (this.base?.count ?? 0)) return this.base;
    this.isOwn.length = 0;
    const mask = new RowMask(this.pages, this.count);
    this.pages = [...this.pages];
    return mask;
  }

  private ownPage(page: number): Uint32Array {
    while (this.pages.length <= page) this.pages.push(undefined);
    const known = this.pages[page];
    if (known !== undefined && this.isOwn[page] === true) return known;
    const own = known === undefined ? new Uint32Array(PAGE_WORDS) : known.slice();
    this.pages[page] = own;
    this.isOwn[page] = true;
    return own;
  }
}

/** The rows of `mask` that are not in `without`; undefined when there are none. */
export function maskWithout(mask: RowMask | undefined, without: RowMask | undefined): RowMask | undefined {
  if (mask === undefined || without === undefined) return mask;
  if (mask === without) return undefined;
  let count = 0;
  const pages = mask.pages.map((words, number) => {
    const others = without.pages[number];
    const left = words !== others && others !== undefined
      ? words?.map((word, i) => word & ~others[i]!)
      : words === others
      ? undefined
      : words;
    const bits = left?.reduce((sum, word) => sum + bitsIn(word), 0) ?? 0;
    count += bits;
    return bits === 0 ? undefined : left;
  });
  return count === 0 ? undefined : new RowMask(pages, count);
}

function bitOf(words: Uint32Array, bit: number): boolean {
  return ((words[bit >>> 5]! >>> (bit & 31)) & 1) === 1;
}

/** Sets bits `[first, end)`, at most a page; returns how many were not set. */
function setBits(words: Uint32Array, first: number, end: number): number {
  let added = 0;
  for (let from = first; from < end;) {
    const word = from >>> 5;
    const to = Math.min(end, (word + 1) * WORD_BITS);
    const low = from & 31;
    const bits = to - from === WORD_BITS ? 0xffffffff : ((1 << (to - from)) - 1) << low;
    added += bitsIn(bits & ~words[word]!);
    words[word]! |= bits;
    from = to;
  }
  return added;
}

/** How many bits of a word are set (Warren, Hacker's Delight, 5–1). */
function bitsIn(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** The place of the lowest bit that is set; one is. */
function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
