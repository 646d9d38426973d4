import assert from "node:assert/strict";
import { type Random, seededRandom } from "../../base/mod.ts";
import { ByteReader, ByteWriter } from "../byte_buffer.ts";
import * as rans from "./rans.ts";
import { decode, decodeSums } from "./rans_decode.ts";

function roundTrip(values: readonly number[], mantissaBits: number): number {
  const out = new ByteWriter();
  rans.encode(Float64Array.from(values), values.length, mantissaBits, out);
  const reader = new ByteReader(out.written());
  const target = new Int32Array(values.length);
  decode(reader, values.length, target);
  assert.deepEqual([...new Uint32Array(target.buffer)], values);
  assert.equal(reader.remaining, 0);
  return out.length;
}

function planOf(values: readonly number[]): rans.RansPlan {
  const counts = new Int32Array(rans.TOKENS);
  for (const value of values) counts[rans.finestToken(value)]!++;
  return rans.bestPlan(counts, values.length);
}

/** Numbers of two-sided exponential steps, as differences of series are. */
function geometric(random: Random, count: number, mean: number): number[] {
  return Array.from({ length: count }, () => Math.floor(-Math.log(1 - random()) * mean));
}

Deno.test("tokens and bits are numbers again, at every border", () => {
  const borders = Array.from({ length: 32 }, (_, bit) => [2 ** bit - 1, 2 ** bit, 2 ** bit + 1]).flat();
  borders.push(2 ** 32 - 1, 2 ** 32 - 2, 3 * 2 ** 30);
  for (let mantissaBits = 0; mantissaBits <= 7; mantissaBits++) {
    for (let i = 0; i < borders.length; i++) {
      const few = [borders[i]!, borders[(i * 7) % borders.length]!];
      roundTrip(new Array<number>(40).fill(0).map((_, k) => few[k % 2]!), mantissaBits);
    }
    const tokens = borders.sort((a, b) => a - b).map((value) => rans.tokenOf(value, mantissaBits));
    assert.ok(tokens.every((token, i) => i === 0 || token >= tokens[i - 1]!), "tokens keep the order");
  }
});

Deno.test("numbers of any distribution come back under the plan for them", () => {
  const random = seededRandom(21);
  for (let run = 0; run < 300; run++) {
    const count = 1 + Math.floor(random() * (run % 10 === 0 ? 5000 : 300));
    const values = geometric(random, count, 2 ** (random() * 20)).map((value) =>
      random() < 0.01 ? Math.floor(random() * 2 ** 32) : value
    );
    const { mantissaBits, costBytes } = planOf(values);
    if (costBytes < Infinity) roundTrip(values, mantissaBits);
  }
  for (const value of [0, 1, 255, 256, 2 ** 32 - 1]) {
    for (const count of [1, 2, 3, 4096]) {
      assert.ok(roundTrip(new Array<number>(count).fill(value), 0) < 40 + count * 4);
    }
  }
});

Deno.test("a stream takes what its plan promises, near the entropy", () => {
  const random = seededRandom(22);
  for (const mean of [0.3, 2, 30, 1000, 1e6]) {
    const values = geometric(random, 4096, mean);
    const { mantissaBits, costBytes } = planOf(values);
    const bytes = roundTrip(values, mantissaBits);
    assert.ok(Math.abs(bytes - costBytes) < 0.03 * bytes + 16, `${bytes} bytes, promised ${costBytes}`);
    // The entropy of the geometric distribution of this mean: log2(e · mean) for large means.
    if (mean >= 30) {
      assert.ok(bytes < 4096 / 8 * Math.log2(Math.E * mean) * 1.03 + 64, `${bytes}, mean ${mean}`);
    }
  }
});

Deno.test("too many different tokens are no plan", () => {
  assert.equal(planOf(Array.from({ length: 40 }, (_, i) => i * i)).costBytes < Infinity, true);
  const counts = new Int32Array(rans.TOKENS).fill(1);
  assert.ok(rans.bestPlan(counts, rans.TOKENS).mantissaBits < 7);
});

Deno.test("numbers are read in blocks: those that are asked for, and their sums", () => {
  const random = seededRandom(23);
  for (let run = 0; run < 60; run++) {
    const count = [700, 1024, 2048, 3000, 4096, 9001][run % 6]!;
    const values = geometric(random, count, 2 ** (random() * 14));
    const { mantissaBits } = planOf(values);
    const out = new ByteWriter();
    rans.encode(Float64Array.from(values), count, mantissaBits, out);
    const blocks = Math.ceil(count / 1024);
    const starts = Float64Array.from({ length: blocks }, () => Math.floor((random() - 0.5) * 2 ** 32));
    const from = Math.floor(random() * count);
    const to = from + Math.floor(random() * (count - from + 1));
    const first = from - from % 1024;
    const end = Math.min(count, Math.ceil(to / 1024) * 1024);
    const untouched = 7;

    const numbers = new Int32Array(count).fill(untouched);
    const reader = new ByteReader(out.written());
    decode(reader, count, numbers, from, to);
    assert.equal(reader.remaining, 0);
    const sums = new Int32Array(count).fill(untouched);
    decodeSums(new ByteReader(out.written()), count, starts, sums, from, to);

    let sum = 0;
    for (let i = 0; i < count; i++) {
      if (i % 1024 === 0) sum = starts[i / 1024]!;
      sum = (sum + ((values[i]! >>> 1) ^ -(values[i]! & 1))) | 0;
      const isRead = i >= first && i < end;
      assert.equal(
        numbers[i],
        isRead ? values[i]! | 0 : untouched,
        `number ${i} of ${count}, [${from}, ${to})`,
      );
      assert.equal(sums[i], isRead ? sum : untouched, `sum ${i} of ${count}, [${from}, ${to})`);
    }
  }
});

Deno.test("what is no whole stream is refused", () => {
  const values = Float64Array.from({ length: 2048 }, (_, i) => i % 5);
  const out = new ByteWriter();
  rans.encode(values, values.length, 2, out);
  const bytes = out.written();
  const target = new Int32Array(values.length);
  const refuses = (broken: Uint8Array) => {
    assert.throws(() => decode(new ByteReader(broken), values.length, target), /a stream of rANS is whole/);
  };
  refuses(Uint8Array.from(bytes, (byte, i) => i === 0 ? 0xff : byte));
  const firstBlock = 2 + bytes[1]!;
  refuses(Uint8Array.from(bytes, (byte, i) => i > 1 && i < firstBlock ? 0 : byte));
  refuses(Uint8Array.from(bytes, (byte, i) => i === firstBlock ? byte ^ 1 : byte));
  refuses(bytes.subarray(0, bytes.length - 1));
});
