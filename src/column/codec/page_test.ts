import assert from "node:assert/strict";
import { PAGE_ROWS } from "../../base/mod.ts";
import { type Random, seededRandom } from "../../base/mod.ts";
import { ByteReader, ByteWriter } from "../byte_buffer.ts";
import { Column } from "../column.ts";
import { ValueType } from "../value_type.ts";
import type { Effort } from "./effort.ts";
import * as page from "./page.ts";

const RUNS = 400;

/** Values that walk, jump and stand still, whole or in hundredths. */
function randomValues(random: Random, count: number): number[] {
  const step = 2 ** Math.floor(random() * 33);
  const walks = random() < 0.6;
  const jumps = random() < 0.5 ? 0.003 : 0;
  let value = Math.floor(random() * 200);
  return Array.from({ length: count }, () => {
    const change = Math.floor((random() - 0.5) * step);
    value = walks ? value + change : change;
    if (random() < jumps) value = Math.floor((random() - 0.5) * 2 ** 32);
    return value;
  });
}

/** Of several machines, or one; their parts may lie in blocks or not. */
function objectIds(random: Random, count: number): Column {
  const words = new Int32Array(3 * count);
  const bytes = new DataView(words.buffer);
  const seconds = randomValues(random, count);
  const isAlone = random() < 0.5;
  for (let i = 0, at = 0; i < count; i++, at += 12) {
    bytes.setUint32(at, seconds[i]!);
    bytes.setUint32(at + 4, isAlone || random() < 0.5 ? 0x01fe0203 : random() * 2 ** 32);
    bytes.setUint32(at + 8, 0xffffff00 + 7 * i);
  }
  return Column.ofWords(ValueType.ObjectId, words, count);
}

function columnOf(random: Random, count: number): Column {
  if (random() < 0.2) return objectIds(random, count);
  const values = randomValues(random, count);
  if (random() < 0.5) return Column.ofWords(ValueType.Int32, Int32Array.from(values), count);
  const doubles = Float64Array.from(values, (value) => random() < 0.002 ? random() : value / 100);
  return Column.ofWords(ValueType.Double, new Int32Array(doubles.buffer), count);
}

Deno.test("values of a page that are decoded in blocks are those of the whole page", () => {
  const random = seededRandom(31);
  let inBlocks = 0;
  for (let run = 0; run < RUNS; run++) {
    const count = 1 + Math.floor(random() * PAGE_ROWS);
    const original = columnOf(random, count);
    const effort: Effort = random() < 0.3 ? "fast" : "small";
    const out = new ByteWriter();
    page.encode(original, out, effort);
    const content = out.written();
    const whole = page.decode(new ByteReader(content), count);
    assert.deepEqual(whole.wideWords.subarray(0, original.words.length), original.words);
    const bounds = { min: Math.min(...original.words), max: Math.max(...original.words) };
    const valueBytes = page.blockValueBytes(content, 0, count, bounds);
    if (valueBytes === 0) continue;
    const column = page.openInBlocks(
      content,
      0,
      count,
      valueBytes,
      new ArrayBuffer(16 + count * valueBytes),
      8,
    );
    inBlocks++;
    assert.equal(column.words.constructor, whole.words.constructor);
    const isRead = new Uint8Array(count);
    for (let reads = 1 + Math.floor(random() * 5); reads > 0; reads--) {
      const from = Math.floor(random() * count);
      const to = from + 1 + Math.floor(random() * Math.min(1500, count - from - 1));
      page.readValues(content, 0, column, from, to);
      isRead.fill(1, from, to);
    }
    const width = original.words.length / count;
    for (let i = 0; i < column.words.length; i++) {
      if (isRead[Math.floor(i / width)] === 1) assert.equal(column.words[i], whole.words[i]);
    }
  }
  assert.ok(inBlocks > RUNS / 4, `${inBlocks} of ${RUNS} pages can be read in blocks`);
});
