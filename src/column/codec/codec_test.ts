import assert from "node:assert/strict";
import { type Random, seededRandom } from "../../base/mod.ts";
import { bsonBytes } from "../bson_bytes.ts";
import { ByteReader, ByteWriter } from "../byte_buffer.ts";
import { Column } from "../column.ts";
import { ValueType } from "../value_type.ts";
import * as bitPacking from "./bit_packing.ts";
import * as byteString from "./byte_string.ts";
import * as compression from "./compression.ts";
import * as double from "./double.ts";
import type { Effort } from "./effort.ts";
import * as integer from "./integer.ts";
import * as page from "./page.ts";
import * as word64 from "./word64.ts";

function roundTripIntegers(values: readonly number[], effort: Effort = "small"): number {
  const out = new ByteWriter();
  integer.encode(Float64Array.from(values), values.length, out, effort);
  const reader = new ByteReader(out.written());
  const target = new Float64Array(values.length);
  integer.decode(reader, values.length, target);
  assert.deepEqual([...target], values);
  assert.equal(reader.remaining, 0);
  const skipping = new ByteReader(out.written());
  integer.skip(skipping, values.length);
  assert.equal(skipping.remaining, 0);
  return out.length;
}

function roundTripDoubles(bits: readonly bigint[]): number {
  const words = new Int32Array(new BigUint64Array(bits).buffer);
  const out = new ByteWriter();
  double.encode(words, bits.length, out);
  const reader = new ByteReader(out.written());
  const target = new Int32Array(bits.length * 2);
  double.decode(reader, bits.length, target);
  assert.deepEqual(target, words);
  assert.equal(reader.remaining, 0);
  return out.length;
}

function bitsOf(values: readonly number[]): bigint[] {
  return [...new BigUint64Array(Float64Array.from(values).buffer)];
}

/** Whole numbers of many shapes: walks, steps, jumps, of any number of bits. */
function randomIntegers(random: Random): number[] {
  const count = Math.floor(random() * 300);
  const bits = Math.floor(random() * 54);
  const walk = random() < 0.5;
  const step = random() < 0.3 ? Math.floor(random() * 100_000) : 0;
  let value = 0;
  return Array.from({ length: count }, (_, i) => {
    const change = Math.floor((random() - 0.5) * 2 ** bits);
    value = walk ? value + step + change : step * i + change;
    if (random() < 0.02) value = Math.floor((random() - 0.5) * 2 ** 53);
    if (!(Math.abs(value) <= 2 ** 53)) value = 0;
    return value + 0;
  });
}

Deno.test("int32 in haste are written byte for byte as the same numbers are", () => {
  const random = seededRandom(21);
  const anyWord = () => Math.floor((random() - 0.5) * 2 ** (1 + Math.floor(random() * 32))) | 0;
  for (let round = 0; round < 500; round++) {
    const walks = random() < 0.6;
    const step = 2 ** Math.floor(random() * 20);
    let value = anyWord();
    const words = Int32Array.from({ length: round === 0 ? 0 : Math.floor(random() * 400) }, (_, i) => {
      if (random() < 0.01) value = anyWord();
      else if (walks) value += Math.floor((random() - 0.5) * step);
      else value = i * step;
      return value;
    });
    if (round % 50 === 1) words.set([2147483647, -2147483648, 2147483647].slice(0, words.length));
    const quick = new ByteWriter();
    integer.encodeInt32s(words, words.length, quick);
    const plain = new ByteWriter();
    integer.encode(Float64Array.from(words), words.length, plain, "fast");
    assert.deepEqual(quick.written(), plain.written());
  }
});

Deno.test("bit packing gives back values of every width", () => {
  for (let width = 0; width <= 53; width++) {
    for (const count of [0, 1, 7, 8, 31, 100]) {
      const values = Float64Array.from(
        { length: count },
        (_, i) => i % 3 === 0 ? 2 ** width - 1 : Math.floor(2 ** width * ((i * 0.377) % 1)),
      );
      const out = new ByteWriter();
      bitPacking.encode(values, count, width, out);
      assert.equal(out.length, bitPacking.packedBytes(count, width));
      const target = new Float64Array(count);
      bitPacking.decode(new ByteReader(out.written()), count, width, target);
      assert.deepEqual(target, values, `width ${width}, count ${count}`);
    }
  }
});

Deno.test("bit length counts the bits of whole numbers up to 2⁵³", () => {
  assert.equal(bitPacking.bitLength(0), 0);
  for (let bits = 0; bits < 53; bits++) {
    assert.equal(bitPacking.bitLength(2 ** bits), bits + 1);
    assert.equal(bitPacking.bitLength(2 ** (bits + 1) - 1), bits + 1);
  }
});

Deno.test("integers of any shape come back", () => {
  const random = seededRandom(1);
  for (let run = 0; run < 400; run++) {
    const values = randomIntegers(random);
    roundTripIntegers(values);
    roundTripIntegers(values, "fast");
  }
  const edges = [0, -1, 1, 2 ** 31, -(2 ** 31), 2 ** 50, -(2 ** 50), 2 ** 50 + 1, 2 ** 53, -(2 ** 53)];
  for (const a of edges) {
    for (const b of edges) {
      roundTripIntegers([a, b, a, a, b]);
      roundTripIntegers([a, b, a, a, b], "fast");
    }
    roundTripIntegers([a]);
  }
});

Deno.test("integers that follow a rule take almost nothing", () => {
  const regular = Array.from({ length: 4096 }, (_, i) => 1.7e12 + i * 10_000);
  assert.ok(roundTripIntegers(regular) < 24);
  assert.ok(roundTripIntegers(new Array(4096).fill(-17)) < 8);
  // The jump back from one series to the next is two exceptions.
  assert.ok(roundTripIntegers(regular.map((t, i) => t - (i > 2000 ? 2e7 : 0))) < 40);
});

Deno.test("integers at even steps come back, however often the step changes", () => {
  const random = seededRandom(3);
  for (let run = 0; run < 50; run++) {
    let value = Math.floor(random() * 1e12);
    let step = 10_000;
    const values = Array.from({ length: 1 + Math.floor(random() * 5000) }, () => {
      if (random() < 0.002) step = Math.floor((random() - 0.5) * 1e6);
      return value += step;
    });
    roundTripIntegers(values);
    roundTripIntegers(values, "fast");
    roundTripIntegers(values.slice(0, 2));
  }
});

Deno.test("integers in haste take few bits where they are near each other or follow a rule", () => {
  const clock = Array.from({ length: 4096 }, (_, i) => 1.7e12 + i * 10_000);
  assert.ok(roundTripIntegers(clock, "fast") < 24);
  assert.ok(roundTripIntegers(new Array(4096).fill(-17), "fast") < 8);
  const walk = Array.from({ length: 4096 }, (_, i) => 1000 + Math.floor(i / 3));
  // Steps of 0 and 1, one bit each.
  assert.ok(roundTripIntegers(walk, "fast") <= 4096 / 4 + 16);
});

Deno.test("integers with few likely steps come near their entropy", () => {
  const random = seededRandom(2);
  let value = 50;
  const walk = Array.from(
    { length: 4096 },
    () => value += Math.floor(random() * 3) + Math.floor(random() * 3) - 2,
  );
  // Five steps of 2.2 bits: 1126 bytes, 3 bits each would be 1536. Each of three further blocks starts anew, with ten bytes.
  const bytes = roundTripIntegers(walk);
  assert.ok(bytes < 1160 + 30, `${bytes}`);
});

Deno.test("integers that stay for long take what their changes take", () => {
  const random = seededRandom(8);
  for (const longest of [20, 200]) {
    const states: number[] = [];
    while (states.length < 4096) {
      const state = Math.floor(random() * 8) * 7 - 20;
      for (let i = 1 + Math.floor(random() * longest); i > 0; i--) states.push(state);
    }
    const changes = states.filter((state, i) => state !== states[i - 1]).length;
    const bytes = roundTripIntegers(states);
    assert.ok(bytes < changes * 1.3 + 48, `${bytes} bytes, ${changes} changes`);
  }
});

Deno.test("doubles come back bit for bit: decimals, fractions and what is neither", () => {
  const random = seededRandom(3);
  const special = [0n, 1n << 63n, 0x7ff0000000000000n, 0xfff0000000000000n, 0x7ff8000000000000n]
    .concat([0x7ff0000000000001n, 0xfff8123456789abcn, 1n, 0x000fffffffffffffn, 0x7fefffffffffffffn]);
  roundTripDoubles(special);
  for (let run = 0; run < 200; run++) {
    const places = Math.floor(random() * 16);
    const share = random() < 0.5 ? 0.05 : random();
    const bits = bitsOf(Array.from({ length: 200 }, () => Number((random() * 1000 - 500).toFixed(places))));
    roundTripDoubles(
      bits.map((value) => random() < share ? special[Math.floor(random() * special.length)]! : value),
    );
  }
});

Deno.test("decimal-like doubles are small, random ones hardly larger than themselves", () => {
  const random = seededRandom(4);
  const celsius = Array.from(
    { length: 4096 },
    (_, i) => Number((20 + 5 * Math.sin(i / 200) + random() * 0.2).toFixed(1)),
  );
  assert.ok(roundTripDoubles(bitsOf(celsius)) < 4096 / 2);
  assert.ok(roundTripDoubles(bitsOf(Array.from({ length: 4096 }, () => random()))) < 4096 * 8 + 64);
});

Deno.test("64-bit integers keep their edges", () => {
  const values = [0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), 2n ** 50n, -(2n ** 50n), 2n ** 50n - 1n, 1n << 32n];
  for (const list of [values, [1n, 2n, -3n], values.slice(0, 2)]) {
    const words = new Int32Array(new BigInt64Array(list).buffer);
    const out = new ByteWriter();
    word64.encode(words, list.length, out);
    const target = new Int32Array(words.length);
    word64.decode(new ByteReader(out.written()), list.length, target);
    assert.deepEqual(target, words);
  }
});

Deno.test("byte strings come back, with and without a dictionary", () => {
  const random = seededRandom(5);
  for (const distinct of [1, 5, 1000]) {
    const values = Array.from({ length: 300 }, () => {
      const which = Math.floor(random() * distinct);
      return Uint8Array.from({ length: which % 40 }, (_, i) => which * 7 + i);
    });
    const ends = new Int32Array(values.length);
    values.reduce((end, value, i) => ends[i] = end + value.length, 0);
    const arena = Uint8Array.from(values.flatMap((value) => [...value]));
    const out = new ByteWriter();
    byteString.encode(arena, ends, values.length, out);
    const decoded = byteString.decode(new ByteReader(out.written()), values.length);
    const column = Column.ofBytes(ValueType.Binary, decoded.arena, decoded.ends, decoded.dictionary);
    const expected = values.map((value) => [ValueType.Binary, [...value]]);
    assert.deepEqual(contentOf(column), expected);
    assert.equal(column.dictionary !== undefined, distinct <= values.length / 2);
    const copied = new Column();
    copied.appendRange(column, 0, 100);
    copied.appendRange(column, 100, 100);
    copied.appendFrom(column, 100);
    copied.appendRange(column, 101, values.length);
    assert.deepEqual(contentOf(copied), expected);
    assert.deepEqual(copied.ends.subarray(0, values.length), ends);
    assert.equal(bsonBytes(column), arena.length);
  }
});

Deno.test("byte strings come back from a dictionary that is too large for a column's", () => {
  const count = 140_000;
  const values = Array.from(
    { length: count },
    (_, i) => Uint8Array.of(i % 70_000, (i % 70_000) >> 8, (i % 70_000) >> 16),
  );
  const ends = Int32Array.from(values, (_, i) => 3 * i + 3);
  const arena = new Uint8Array(3 * count);
  values.forEach((value, i) => arena.set(value, 3 * i));
  const out = new ByteWriter();
  byteString.encode(arena, ends, count, out);
  const decoded = byteString.decode(new ByteReader(out.written()), count);
  assert.ok(decoded.dictionary === undefined);
  assert.ok(decoded.ends.every((end, i) => end === ends[i]));
  assert.ok(decoded.arena.every((byte, i) => byte === arena[i]));
});

Deno.test("compression keeps bytes of every length and shrinks what repeats", () => {
  const random = seededRandom(6);
  for (const length of [0, 1, 47, 48, 5000]) {
    for (const spread of [1, 256]) {
      const bytes = Uint8Array.from({ length }, () => random() * spread);
      const out = new ByteWriter();
      compression.encode(bytes, out);
      assert.deepEqual([...compression.decode(new ByteReader(out.written()))], [...bytes]);
      if (length > 48 && spread === 1) assert.ok(out.length < 100);
    }
  }
});

const SIZES = new Map<number, number>([
  [ValueType.Double, 8],
  [ValueType.Int32, 4],
  [ValueType.Int64, 8],
  [ValueType.Date, 8],
  [ValueType.Timestamp, 8],
  [ValueType.ObjectId, 12],
  [ValueType.Decimal128, 16],
  [ValueType.Boolean, 1],
  [ValueType.Null, 0],
  [ValueType.MinKey, 0],
]);

function randomValue(type: number, random: Random): Uint8Array {
  if (type === ValueType.Boolean) return Uint8Array.of(random() < 0.5 ? 0 : 1);
  const length = SIZES.get(type) ?? Math.floor(random() * 30);
  return Uint8Array.from({ length }, () => random() * 256);
}

/** The values of a column as `[type, bytes]`. */
function contentOf(column: Column): [number, number[]][] {
  return Array.from({ length: column.length }, (_, i) => {
    const type = column.typeAt(i);
    if (column.width === -1) return [type, [...column.arena.subarray(column.startAt(i), column.endAt(i))]];
    const start = i * column.width * 4;
    return [type, [...new Uint8Array(column.wideWords.buffer).subarray(start, start + SIZES.get(type)!)]];
  });
}

Deno.test("columns and pages of any mixture of types keep every value's type and bytes", () => {
  const random = seededRandom(7);
  const all = [...SIZES.keys(), ValueType.String, ValueType.Array, ValueType.Binary];
  for (let run = 0; run < 300; run++) {
    const types = all.filter(() => random() < (run % 3 === 0 ? 0.08 : 0.3));
    if (types.length === 0) types.push(all[run % all.length]!);
    const column = new Column();
    const expected: [number, number[]][] = [];
    for (let i = 0; i < 1 + random() * 120; i++) {
      const type = types[Math.floor(random() * types.length)]!;
      const value = randomValue(type, random);
      const padded = Uint8Array.of(9, 9, 9, ...value, 9, 9, 9, 9);
      column.append(type, new DataView(padded.buffer), 3, 3 + value.length);
      expected.push([type, [...value]]);
    }
    assert.deepEqual(contentOf(column), expected);
    for (const effort of ["small", "fast"] as const) {
      const out = new ByteWriter();
      page.encode(column, out, effort);
      const reader = new ByteReader(out.written());
      assert.deepEqual(contentOf(page.decode(reader, column.length)), expected);
      assert.equal(reader.remaining, 0);
    }
  }
});
