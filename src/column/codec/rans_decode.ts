/** Reads what rans.ts writes, in WebAssembly (rans_decoder.as): there one number takes 2 ns where it takes 3.6 here. */
import { assert, PAGE_ROWS } from "../../base/mod.ts";
import type { ByteReader } from "../byte_buffer.ts";
import { BLOCK_VALUES } from "./block_values.ts";
import { decode as decodeStream, FREE, memory } from "./rans_decoder.wasm";

const WORD_BYTES = Int32Array.BYTES_PER_ELEMENT;
const MEMORY_PAGE_BYTES = 65_536;
/** What a stream has at most beside its blocks: 3,328 frequencies or gaps of at most 23 bits; and what a block has. */
const MAX_HEAD_BYTES = 10_240;
const MAX_BLOCK_BYTES = 16 + 6 * BLOCK_VALUES;
/** Bits are read in words: there is memory behind the last of them. */
const SLACK_BYTES = 8;
const NO_STARTS = 0;
/** In words: where numbers come out, and behind those of a page, or of more, what sums start from and the stream. */
const OUTPUT = FREE / WORD_BYTES;

let bytes = new Uint8Array(memory.buffer);
let words = new Int32Array(memory.buffer);
/** The numbers of a whole page. */
let page = words.subarray(OUTPUT, OUTPUT + PAGE_ROWS);

/**
 * Reads numbers of `count` into their places in `target`, as unsigned words: of the blocks that those of `[from, to)` are
 * in.
 */
export function decode(reader: ByteReader, count: number, target: Int32Array, from = 0, to = count): void {
  run(reader, count, undefined, target, from, to);
}

/**
 * As `decode`, of numbers that are differences, zigzag: what comes out are their sums, which wrap around.
 *
 * @param starts what the sums of each block start from
 */
export function decodeSums(
  reader: ByteReader,
  count: number,
  starts: Float64Array,
  target: Int32Array,
  from: number,
  to: number,
): void {
  run(reader, count, starts, target, from, to);
}

function run(
  reader: ByteReader,
  count: number,
  starts: Float64Array | undefined,
  target: Int32Array,
  from: number,
  to: number,
): void {
  const blocks = Math.ceil(count / BLOCK_VALUES);
  const inputBytes = Math.min(reader.remaining, MAX_HEAD_BYTES + blocks * MAX_BLOCK_BYTES);
  const startsAt = OUTPUT + Math.max(count, PAGE_ROWS);
  const input = (startsAt + blocks) * WORD_BYTES;
  reserve(input + inputBytes + SLACK_BYTES);
  reader.copyTo(bytes, input, inputBytes);
  if (starts !== undefined) {
    for (let block = 0; block < blocks; block++) words[startsAt + block] = starts[block]!;
  }
  const startsPlace = starts === undefined ? NO_STARTS : startsAt * WORD_BYTES;
  const read = decodeStream(input, count, startsPlace, from, to, FREE);
  assert(read > 0 && read <= inputBytes, "a stream of rANS is whole");
  reader.skip(read);
  const first = from - from % BLOCK_VALUES;
  const end = Math.min(count, Math.ceil(to / BLOCK_VALUES) * BLOCK_VALUES);
  if (first === 0 && end === PAGE_ROWS) target.set(page);
  else if (end > first) target.set(words.subarray(OUTPUT + first, OUTPUT + end), first);
}

function reserve(size: number): void {
  const missing = size - bytes.length;
  if (missing <= 0) return;
  memory.grow(Math.ceil(missing / MEMORY_PAGE_BYTES));
  bytes = new Uint8Array(memory.buffer);
  words = new Int32Array(memory.buffer);
  page = words.subarray(OUTPUT, OUTPUT + PAGE_ROWS);
}
