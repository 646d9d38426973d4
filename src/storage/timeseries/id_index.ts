/**
 * Says which pages of a row group may hold an _id, in a good byte a row: a sorted quotient filter (Bender et al., "Don't
 * thrash: how to cache your hash on flash", VLDB 2012) whose entries name the page beside some bits of the hash.
 *
 *     byte bits of an entry, 8 or 16 | varint entries | varint buckets, a power of two
 *     for each bucket its entries as 1-bits, then a 0-bit, from the lowest bit up
 *     entries, bucket by bucket: page | rest of the hash << 4
 *
 * The bucket is the hash's lowest bits, the rest are its highest. One lookup in sixteen names a page in vain; where ids
 * take much room anyway (UUIDs, texts), one in four thousand: their order tells nothing, and every row group is asked.
 */
import { assert } from "../../base/mod.ts";
import { ByteReader, ByteWriter, type Column } from "../../column/mod.ts";
import { idHashes } from "./id_key.ts";

const PAGE_BITS = 4;
const PAGE_MASK = (1 << PAGE_BITS) - 1;
/** Ids that take more bytes a row than this get wide entries. */
const WIDE_ID_BYTES = 8;

/** Gathers the ids of a row group, page by page. */
export class IdIndexWriter {
  private readonly hashes: Int32Array[] = [];
  private count = 0;

  /** Adds the ids in the next page, of which there may be none. */
  addPage(column: Column): void {
    const hashes = idHashes(column);
    this.hashes.push(hashes);
    this.count += hashes.length;
  }

  /**
   * Writes the index.
   *
   * @param idBytes what the ids themselves take
   */
  write(idBytes: number, out: ByteWriter): void {
    assert(this.hashes.length <= PAGE_MASK + 1, "a row group has pages that an entry can name");
    const { count } = this;
    const bits = idBytes > count * WIDE_ID_BYTES ? 16 : 8;
    const buckets = 2 ** Math.floor(Math.log2(Math.max(1, count)));
    const ends = this.bucketEnds(buckets);
    out.byte(bits);
    out.varint(count);
    out.varint(buckets);
    out.bytes(unaryCounts(ends, count));
    out.bytes(this.entries(ends, bits));
  }

  /** For each bucket how many entries it and those before it have. */
  private bucketEnds(buckets: number): Int32Array {
    const ends = new Int32Array(buckets);
    for (const hashes of this.hashes) countIn(ends, hashes);
    for (let bucket = 1; bucket < buckets; bucket++) ends[bucket]! += ends[bucket - 1]!;
    return ends;
  }

  private entries(ends: Int32Array, bits: number): Uint8Array {
    const entries = bits === 16 ? new Uint16Array(this.count) : new Uint8Array(this.count);
    const places = ends.slice();
    for (const [page, hashes] of this.hashes.entries()) {
      for (const hash of hashes) {
        entries[--places[hash & (ends.length - 1)]!] = page | restOf(hash, bits) << PAGE_BITS;
      }
    }
    return new Uint8Array(entries.buffer);
  }
}

function countIn(buckets: Int32Array, hashes: Int32Array | Uint32Array): void {
  const mask = buckets.length - 1;
  for (let i = 0; i < hashes.length; i++) buckets[hashes[i]! & mask]!++;
}

function unaryCounts(ends: Int32Array, count: number): Uint8Array {
  const bytes = new Uint8Array(Math.ceil((count + ends.length) / 8));
  let bit = 0;
  let before = 0;
  for (const end of ends) {
    for (; before < end; before++, bit++) bytes[bit >> 3]! |= 1 << (bit & 7);
    bit++;
  }
  return bytes;
}

/** The highest bits of a hash that an entry has room for. */
function restOf(hash: number, bits: number): number {
  return hash >>> (32 - bits + PAGE_BITS);
}

export class IdIndex {
  private readonly bits: number;
  private readonly buckets: number;
  private readonly unary: Uint8Array;
  private readonly entries: Uint8Array;

  /** @param bytes what `IdIndexWriter` wrote */
  constructor(bytes: Uint8Array) {
    const reader = new ByteReader(bytes);
    this.bits = reader.byte();
    const count = reader.varint();
    this.buckets = reader.varint();
    this.unary = reader.bytes(Math.ceil((count + this.buckets) / 8));
    this.entries = reader.bytes(count * this.bits / 8);
    assert(reader.remaining === 0, "an index of ids is as long as its parts");
  }

  get memoryBytes(): number {
    return this.unary.length + this.entries.length;
  }

  /** The pages that may have an id of that hash, a bit each. */
  pagesOf(hash: number): number {
    const { bits, entries } = this;
    const rest = restOf(hash, bits);
    let pages = 0;
    const { first, count } = this.bucket(hash & (this.buckets - 1));
    for (let i = first; i < first + count; i++) {
      const entry = bits === 16 ? entries[2 * i]! | entries[2 * i + 1]! << 8 : entries[i]!;
      if (entry >> PAGE_BITS === rest) pages |= 1 << (entry & PAGE_MASK);
    }
    return pages;
  }

  /** Which entries a bucket has: the 1-bits between the 0-bit of the bucket before and its own. */
  private bucket(bucket: number): { readonly first: number; readonly count: number } {
    const { unary } = this;
    let byte = 0;
    let zeros = 0;
    for (; zeros + 8 - ONES[unary[byte]!]! <= bucket - 1; byte++) zeros += 8 - ONES[unary[byte]!]!;
    let bit = byte * 8;
    for (; zeros < bucket; bit++) if (!this.isOne(bit)) zeros++;
    let count = 0;
    while (this.isOne(bit + count)) count++;
    return { first: bit - bucket, count };
  }

  private isOne(bit: number): boolean {
    return (this.unary[bit >> 3]! >> (bit & 7) & 1) === 1;
  }
}

/** How many bits of a byte are one. */
const ONES = Uint8Array.from({ length: 256 }, (_, byte) => {
  let ones = 0;
  for (let rest = byte; rest > 0; rest >>= 1) ones += rest & 1;
  return ones;
});
