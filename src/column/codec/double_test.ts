/** Each codec of doubles gives back every bit, of series for which it is made and of all others. */
import assert from "node:assert/strict";
import { type Random, seededRandom } from "../../base/mod.ts";
import { ByteReader, ByteWriter } from "../byte_buffer.ts";
import * as alp from "./alp.ts";
import * as alpRd from "./alp_rd.ts";
import { BitReader, BitWriter } from "./bit_stream.ts";
import * as bytePlanes from "./byte_planes.ts";
import * as decimal from "./decimal.ts";
import * as double from "./double.ts";
import * as xor from "./xor.ts";

type Encode = (words: Int32Array, count: number, out: ByteWriter) => void;
type Decode = (reader: ByteReader, count: number, words: Int32Array) => void;

const CODECS: Record<string, { encode: Encode; decode: Decode }> = {
  alp,
  alpRd,
  xor,
  bytePlanes,
  double,
};

/** Bits that arithmetic does not keep: infinities, NaNs of many payloads, −0, the smallest and the largest. */
const SPECIAL_BITS = [0n, 1n << 63n, 0x7ff0000000000000n, 0xfff0000000000000n, 0x7ff8000000000000n]
  .concat([0x7ff0000000000001n, 0xfff8123456789abcn, 0xffffffffffffffffn, 0x7ff7ffffffffffffn])
  .concat([1n, 0x800fffffffffffffn, 0x0010000000000000n, 0x7fefffffffffffffn, 0xffefffffffffffffn]);

function wordsOf(values: readonly number[]): Int32Array {
  return new Int32Array(Float64Array.from(values).buffer);
}

/** The bytes that a codec takes for the doubles, which it gave back bit for bit. */
function roundTrip(words: Int32Array, { encode, decode }: { encode: Encode; decode: Decode }): number {
  const count = words.length >> 1;
  const before = words.slice();
  const out = new ByteWriter();
  encode(words, count, out);
  const reader = new ByteReader(out.written());
  const target = new Int32Array(words.length);
  decode(reader, count, target);
  assert.deepEqual(target, before);
  assert.deepEqual(words, before, "encoding leaves the values alone");
  assert.equal(reader.remaining, 0);
  return out.length;
}

const SERIES: Record<string, (random: Random, count: number) => Int32Array> = {
  "random bits": (random, count) => Int32Array.from({ length: count * 2 }, () => random() * 2 ** 32),
  "real doubles": (random, count) =>
    wordsOf(Array.from({ length: count }, () => 20 + Math.sin(random() * 7))),
  decimals: (random, count) => {
    const places = Math.floor(random() * 16);
    const range = 10 ** Math.floor(random() * 7);
    return wordsOf(Array.from({ length: count }, () => Number(((random() - 0.5) * range).toFixed(places))));
  },
  products: (random, count) =>
    wordsOf(Array.from({ length: count }, () => Math.floor(random() * 9999) * 0.01)),
  "large numbers": (random, count) =>
    wordsOf(
      Array.from({ length: count }, () => Math.floor(random() * 1000) * 1e15 * (random() < 0.5 ? 1 : -1)),
    ),
  "single precision": (random, count) =>
    wordsOf(Array.from({ length: count }, () => Math.fround(random() * 100 - 50))),
  constant: (random, count) => wordsOf(new Array<number>(count).fill(Math.sqrt(random()))),
  runs: (random, count) => {
    let value = 0;
    return wordsOf(
      Array.from({ length: count }, () => value = random() < 0.02 ? Math.sqrt(random()) : value),
    );
  },
  "few distinct": (random, count) => {
    const values = [random(), Math.sqrt(random()), -random(), random() * 1e9];
    return wordsOf(Array.from({ length: count }, () => values[Math.floor(random() * 4)]!));
  },
  "flipped bits": (random, count) => {
    const words = wordsOf(new Array<number>(count).fill(Math.PI));
    for (let i = 0; i < words.length; i++) words[i]! ^= 1 << Math.floor(random() * 32);
    return words;
  },
};

for (const [name, codec] of Object.entries(CODECS)) {
  Deno.test(`${name} gives back every bit of every kind of series`, () => {
    const random = seededRandom(11);
    for (const series of Object.values(SERIES)) {
      for (const count of [0, 1, 2, 3, 31, 129, 257, 400, 1500]) roundTrip(series(random, count), codec);
    }
  });

  Deno.test(`${name} gives back what arithmetic loses, alone and among others`, () => {
    const random = seededRandom(12);
    const special = new Int32Array(BigUint64Array.from(SPECIAL_BITS).buffer);
    roundTrip(special, codec);
    for (const series of Object.values(SERIES)) {
      for (const share of [0.01, 0.3, 0.9]) {
        const words = series(random, 300);
        for (let i = 0; i < 300; i++) {
          if (random() > share) continue;
          const k = 2 * Math.floor(random() * SPECIAL_BITS.length);
          words.set(special.subarray(k, k + 2), 2 * i);
        }
        roundTrip(words, codec);
      }
    }
  });
}

Deno.test("decimals refuse what has too many exceptions, and write nothing", () => {
  const out = new ByteWriter();
  assert.equal(decimal.encode(wordsOf([Math.PI, Math.E, 1.5, NaN]), 4, 1, out), false);
  assert.equal(out.length, 0);
});

Deno.test("ALP finds the scale of decimals, of products that are none, and of large round numbers", () => {
  const random = seededRandom(13);
  const digits = Array.from({ length: 1024 }, () => Math.floor(random() * 1000));
  // 10 bits each are 1280 bytes.
  for (
    const series of [
      digits.map((d) => d / 1000),
      digits.map((d) => d * 0.001),
      digits.map((d) => d * 1e12),
    ]
  ) {
    assert.ok(roundTrip(wordsOf(series), alp) < 1400);
  }
});

Deno.test("ALP-RD saves the bits that a series has in common", () => {
  const random = seededRandom(14);
  const words = wordsOf(Array.from({ length: 1024 }, () => 16 + random() * 15));
  // Sign, exponent and nothing of the mantissa are the same: 52 of 64 bits are noise.
  assert.ok(roundTrip(words, alpRd) < 1024 * 52 / 8 + 1024 * 3 / 8 + 64);
});

Deno.test("XOR is small where values return", () => {
  const random = seededRandom(15);
  const values = Array.from({ length: 20 }, () => Math.sqrt(random()));
  const words = wordsOf(Array.from({ length: 1000 }, () => values[Math.floor(random() * 20)]!));
  assert.ok(roundTrip(words, xor) < 1000 * 9 / 8 + 20 * 9 + 200);
});

Deno.test("the choice is never much worse than any codec alone", () => {
  const random = seededRandom(16);
  for (const [name, series] of Object.entries(SERIES)) {
    const words = series(random, 4096);
    const chosen = roundTrip(words, double);
    for (const [other, codec] of Object.entries(CODECS)) {
      assert.ok(chosen <= roundTrip(words, codec) * 1.05 + 64, `${name}: ${other} is smaller than ${chosen}`);
    }
  }
});

Deno.test("a page never takes more than the plain values, even where a sample misleads", () => {
  const random = seededRandom(18);
  for (let run = 0; run < 60; run++) {
    // So many digits and exceptions that some samples find a scale and others find none.
    const share = 0.15 + run * 0.003;
    const words = wordsOf(Array.from({ length: 2842 }, () => Number((random() * 10).toFixed(12))));
    for (let i = 0; i < words.length; i += 2) {
      if (random() < share) words.set([random() * 2 ** 32, random() * 2 ** 32], i);
    }
    assert.ok(roundTrip(words, double) <= 2842 * 8 + 16);
  }
});

Deno.test("a constant page of doubles takes a few bytes, whatever the constant", () => {
  for (const value of [0, -0, 21.5, Math.PI, NaN, -Infinity]) {
    assert.ok(roundTrip(wordsOf(new Array<number>(4096).fill(value)), double) < 32, `${value}`);
  }
});

Deno.test("bits of every width come back in their order", () => {
  const random = seededRandom(17);
  const widths = Array.from({ length: 3000 }, () => Math.floor(random() * 33));
  const values = widths.map((width) => Math.floor(random() * 2 ** width));
  const writer = new BitWriter(4);
  values.forEach((value, i) => writer.write(value, widths[i]!));
  const reader = new BitReader(writer.finish());
  assert.deepEqual(widths.map((width) => reader.read(width)), values);
});
