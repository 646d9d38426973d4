/**
 * Reads what rans.ts writes; see there for the layout. `deno task assembly` makes rans_decoder.wasm of this AssemblyScript.
 *
 * A number waits for the one before it: its state says where the next token stands. Two states in turn keep a processor
 * half busy, so two whole blocks are read at once. Whether a state takes in a word is as good as random: without a branch
 * on it no processor guesses wrong.
 */

const BLOCK_VALUES: i32 = 1024;
const MAX_MANTISSA_BITS: i32 = 7;
const MAX_SCALE: i32 = 10;
const STATE_LIMIT: u32 = 1 << 15;
const STATES_BYTES: usize = 8;
/** Zeros that the longest gamma code starts with. */
const MAX_GAMMA_ZEROS: u32 = 11;
const WORD: usize = 4;
const BLOCK_BYTES: usize = WORD * BLOCK_VALUES;

// Words for each slot of the page that is being read: tables that stay in the processor's nearest cache.
/** Its token's frequency, and from bit 16 on its place among the token's slots. */
const STEPS: usize = 0;
/** Its token, or the difference that the token stands for. */
const VALUES: usize = WORD << MAX_SCALE;
// Words for each token of the page that occurs, ascending.
const TOKENS: usize = 2 * VALUES;
const FREQUENCIES: usize = 3 * VALUES;

/** Where memory begins that the caller may use. */
export const FREE: usize = 4 * VALUES;

/** Where the next byte is read. */
let at: usize = 0;

function readVarint(): usize {
  let byte: usize = load<u8>(at++);
  let value = byte & 127;
  for (let shift = 7; byte >= 128; shift += 7) {
    byte = load<u8>(at++);
    value |= (byte & 127) << shift;
  }
  return value;
}

/** Reads which tokens there are, into the tables. Returns how many; 0 where the bits are none of ours. */
function readFrequencies(bytes: usize, scale: i32): usize {
  const slots = 1 << scale;
  let tokens: usize = 0;
  let bit: u32 = 0;
  let isGap = false;
  for (let slot = 0, token = 0; slot < slots;) {
    const bits = load<u32>(bytes + (bit >> 3)) >> (bit & 7);
    const zeros = ctz(bits);
    if (zeros > MAX_GAMMA_ZEROS) return 0;
    bit += 2 * zeros + 1;
    // What the code stands for, less one.
    const below: u32 = (1 << zeros) - 1;
    const number: i32 = below + ((bits >> (zeros + 1)) & below);
    if (isGap) {
      token += number + 1;
    } else if (number > 0) {
      slot += number;
      if (slot > slots) return 0;
      store<i32>(tokens * WORD, token++, TOKENS);
      store<i32>(tokens++ * WORD, number, FREQUENCIES);
    }
    isGap = !isGap && number == 0;
  }
  return tokens;
}

function unzigzag(number: i32): i32 {
  return (number >>> 1) ^ -(number & 1);
}

/** The number of low bits that stand beside a token. */
@inline
function lowBitsOf(token: i32, mantissaBits: i32): i32 {
  return max((token >>> mantissaBits) - 1, 0);
}

function fillSlots(tokens: usize, areSummed: bool): void {
  let slot: usize = 0;
  for (let i: usize = 0; i < tokens; i++) {
    const token = load<i32>(i * WORD, TOKENS);
    const frequency = load<i32>(i * WORD, FREQUENCIES);
    const value = areSummed ? unzigzag(token) : token;
    for (let place = 0; place < frequency; place++) {
      store<i32>(slot, frequency | (place << 16), STEPS);
      store<i32>(slot, value, VALUES);
      slot += WORD;
    }
  }
}

@inline
function slotOf(state: u32, scale: i32): usize {
  return (<usize>state & ((1 << scale) - 1)) * WORD;
}

@inline
function stepped(state: u32, slot: usize, scale: i32): u32 {
  const step = load<u32>(slot, STEPS);
  return (step & 0xffff) * (state >> scale) + (step >> 16);
}

/** The bytes that a state takes in. */
@inline
function takenBy(state: u32): usize {
  return <usize>(state < STATE_LIMIT) << 1;
}

@inline
function refilled(state: u32, word: usize): u32 {
  return select((state << 16) | <u32>load<u16>(word), state, state < STATE_LIMIT);
}

/** Reads the tokens of a block, or their sums from `value` on. Returns where its words end. */
@inline
function readBlock(block: usize, output: usize, count: i32, scale: i32, areSummed: bool, value: i32): usize {
  let even = load<u32>(block);
  let odd = load<u32>(block, WORD);
  let word = block + STATES_BYTES;
  const end = output + <usize>count * WORD;
  for (; output < end; output += 2 * WORD) {
    let slot = slotOf(even, scale);
    value = areSummed ? value + load<i32>(slot, VALUES) : load<i32>(slot, VALUES);
    store<i32>(output, value);
    even = stepped(even, slot, scale);
    let taken = takenBy(even);
    even = refilled(even, word);
    word += taken;
    if (output + WORD == end) break;

    slot = slotOf(odd, scale);
    value = areSummed ? value + load<i32>(slot, VALUES) : load<i32>(slot, VALUES);
    store<i32>(output, value, WORD);
    odd = stepped(odd, slot, scale);
    taken = takenBy(odd);
    odd = refilled(odd, word);
    word += taken;
  }
  return word;
}

/** As `readBlock`, of two whole blocks; returns whether both end at `end` and `end2`. Pages of so many have the largest scale. */
@inline
function readPair(
  block: usize, end: usize, value: i32,
  block2: usize, end2: usize, value2: i32,
  output: usize, areSummed: bool,
): bool {
  let even = load<u32>(block);
  let odd = load<u32>(block, WORD);
  let even2 = load<u32>(block2);
  let odd2 = load<u32>(block2, WORD);
  let word = block + STATES_BYTES;
  let word2 = block2 + STATES_BYTES;
  for (const last = output + BLOCK_BYTES; output < last; output += 2 * WORD) {
    let slot = slotOf(even, MAX_SCALE);
    let slot2 = slotOf(even2, MAX_SCALE);
    value = areSummed ? value + load<i32>(slot, VALUES) : load<i32>(slot, VALUES);
    value2 = areSummed ? value2 + load<i32>(slot2, VALUES) : load<i32>(slot2, VALUES);
    store<i32>(output, value);
    store<i32>(output, value2, BLOCK_BYTES);
    even = stepped(even, slot, MAX_SCALE);
    even2 = stepped(even2, slot2, MAX_SCALE);
    let taken = takenBy(even);
    let taken2 = takenBy(even2);
    even = refilled(even, word);
    even2 = refilled(even2, word2);
    word += taken;
    word2 += taken2;

    slot = slotOf(odd, MAX_SCALE);
    slot2 = slotOf(odd2, MAX_SCALE);
    value = areSummed ? value + load<i32>(slot, VALUES) : load<i32>(slot, VALUES);
    value2 = areSummed ? value2 + load<i32>(slot2, VALUES) : load<i32>(slot2, VALUES);
    store<i32>(output, value, WORD);
    store<i32>(output, value2, BLOCK_BYTES + WORD);
    odd = stepped(odd, slot, MAX_SCALE);
    odd2 = stepped(odd2, slot2, MAX_SCALE);
    taken = takenBy(odd);
    taken2 = takenBy(odd2);
    odd = refilled(odd, word);
    odd2 = refilled(odd2, word2);
    word += taken;
    word2 += taken2;
  }
  return word == end && word2 == end2;
}

/** Turns tokens into numbers. `bytes` hold the low bits of each that has any, one behind the other. */
function addLowBits(output: usize, count: i32, mantissaBits: i32, bytes: usize): void {
  let bit: usize = 0;
  for (const end = output + <usize>count * WORD; output < end; output += WORD) {
    const token = load<i32>(output);
    const low = lowBitsOf(token, mantissaBits);
    const bits = <i32>(load<u64>(bytes + (bit >> 3)) >> (bit & 7));
    store<i32>(output, ((token - (low << mantissaBits)) << low) + (bits & ((1 << low) - 1)));
    bit += low;
  }
}

function sum(output: usize, count: i32, value: i32): void {
  for (const end = output + <usize>count * WORD; output < end; output += WORD) {
    value += unzigzag(load<i32>(output));
    store<i32>(output, value);
  }
}

/** Makes numbers of the tokens of a block that have low bits, and their sums from `value` on where they are differences. */
function finish(
  output: usize, count: i32, mantissaBits: i32, bytes: usize, areDifferences: bool, value: i32,
): void {
  addLowBits(output, count, mantissaBits, bytes);
  if (areDifferences) sum(output, count, value);
}

/** The block that was opened last: where its states and words begin and end, and its low bits. */
let block: usize = 0;
let blockEnd: usize = 0;
let lowBytes: usize = 0;

/** Opens the block at `at`, and passes over it. */
function openBlock(hasLowBits: bool): void {
  const blockBytes = STATES_BYTES + 2 * readVarint();
  block = at;
  blockEnd = at += blockBytes;
  const size = hasLowBits ? readVarint() : 0;
  lowBytes = at;
  at += size;
}

/**
 * Reads the blocks that numbers `[from, to)` of `count` are in, each to its place in the words from `output` on.
 *
 * `starts`: 0, or the words that the sums of each block start from: then numbers are differences, zigzag, and their sums
 * come out, which wrap around. Returns the bytes of the whole stream; 0 where it is none of ours.
 */
export function decode(input: usize, count: i32, starts: usize, from: i32, to: i32, output: usize): usize {
  at = input;
  const head: i32 = load<u8>(at++);
  const mantissaBits = head & 15;
  const scale = head >> 4;
  if (mantissaBits > MAX_MANTISSA_BITS || scale > MAX_SCALE) return 0;
  const frequencyBytes = readVarint();
  const tokens = readFrequencies(at, scale);
  if (tokens == 0) return 0;
  at += frequencyBytes;
  const hasLowBits = lowBitsOf(load<i32>((tokens - 1) * WORD, TOKENS), mantissaBits) > 0;
  const areDifferences = starts != 0;
  // Tokens that are numbers can be summed up while they are read: that waits for tables and states, and has it for nothing.
  const areSummed = areDifferences && !hasLowBits;
  fillSlots(tokens, areSummed);

  for (let start = 0; start < count; start += BLOCK_VALUES) {
    openBlock(hasLowBits);
    if (start >= to || start + BLOCK_VALUES <= from) continue;
    const target = output + <usize>start * WORD;
    const base = starts + <usize>(start / BLOCK_VALUES) * WORD;
    const value = areDifferences ? load<i32>(base) : 0;
    const values = min(BLOCK_VALUES, count - start);
    if (scale == MAX_SCALE && start + BLOCK_VALUES < to && start + 2 * BLOCK_VALUES <= count) {
      const first = block, firstEnd = blockEnd, firstLowBytes = lowBytes;
      openBlock(hasLowBits);
      const value2 = areDifferences ? load<i32>(base, WORD) : 0;
      const areWhole = areSummed
        ? readPair(first, firstEnd, value, block, blockEnd, value2, target, true)
        : readPair(first, firstEnd, 0, block, blockEnd, 0, target, false);
      if (!areWhole) return 0;
      if (hasLowBits) {
        finish(target, BLOCK_VALUES, mantissaBits, firstLowBytes, areDifferences, value);
        finish(target + BLOCK_BYTES, BLOCK_VALUES, mantissaBits, lowBytes, areDifferences, value2);
      }
      start += BLOCK_VALUES;
      continue;
    }
    const end = areSummed
      ? readBlock(block, target, values, scale, true, value)
      : readBlock(block, target, values, scale, false, 0);
    if (end != blockEnd) return 0;
    if (hasLowBits) finish(target, values, mantissaBits, lowBytes, areDifferences, value);
  }
  return at - input;
}
