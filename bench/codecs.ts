/**
 * What the codecs of numbers take: bytes a value, and nanoseconds a value to encode and to decode, page by page.
 *
 *     deno run --allow-all bench/codecs.ts
 *
 * `chosen` is what a segment holds; the others are the codecs it chooses from, each alone, and zstd (level 3) over the
 * plain eight bytes a value. Every page is decoded and compared before it counts.
 */
import { BLOCK_COMPRESSORS } from "../src/base/mod.ts";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import * as alp from "../src/column/codec/alp.ts";
import * as alpRd from "../src/column/codec/alp_rd.ts";
import * as bytePlanes from "../src/column/codec/byte_planes.ts";
import * as double from "../src/column/codec/double.ts";
import * as integer from "../src/column/codec/integer.ts";
import * as xor from "../src/column/codec/xor.ts";
import { ByteReader, ByteWriter, decodeBytes, encodeBytes, setBlockCompressor } from "../src/column/mod.ts";
import { loadSeries, loadTexts, type NamedBytes, type Series } from "./codec_series.ts";

const PAGE_VALUES = 4096;
/** How long each measurement runs at least. */
const MEASURE_MS = 100;

interface Codec {
  readonly name: string;
  readonly encode: (page: Float64Array, out: ByteWriter) => void;
  readonly decode: (reader: ByteReader, target: Float64Array) => void;
  readonly takes: (values: Float64Array) => boolean;
}

interface WordCodec {
  encode(words: Int32Array, count: number, out: ByteWriter): void;
  decode(reader: ByteReader, count: number, words: Int32Array): void;
}

const CODECS: readonly Codec[] = [
  ofWords("chosen", double),
  ofWords("ALP", alp),
  ofWords("ALP-RD", alpRd),
  ofWords("XOR", xor),
  ofWords("byte planes", bytePlanes),
  {
    name: "as integers",
    encode: (page, out) => integer.encode(page, page.length, out),
    decode: (reader, target) => integer.decode(reader, target.length, target),
    takes: (values) => values.every((value) => Number.isSafeInteger(value)),
  },
  {
    name: "zstd",
    encode: (page, out) => out.bytes(zstdCompressSync(bytesOf(page), ZSTD_LEVEL)),
    decode: (reader, target) => bytesOf(target).set(zstdDecompressSync(reader.bytes(reader.remaining))),
    takes: () => true,
  },
];
const ZSTD_LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 3 } };

function ofWords(name: string, codec: WordCodec): Codec {
  return {
    name,
    encode: (page, out) => codec.encode(wordsOf(page), page.length, out),
    decode: (reader, target) => codec.decode(reader, target.length, wordsOf(target)),
    takes: () => true,
  };
}

function wordsOf(page: Float64Array): Int32Array {
  return new Int32Array(page.buffer, page.byteOffset, page.length * 2);
}

function bytesOf(page: Float64Array): Uint8Array {
  return new Uint8Array(page.buffer, page.byteOffset, page.byteLength);
}

interface Measured {
  readonly bytes: number;
  readonly encodeNs: number;
  readonly decodeNs: number;
}

function measure({ values, name }: Series, codec: Codec): Measured {
  const pages: Float64Array[] = [];
  for (let at = 0; at < values.length; at += PAGE_VALUES) pages.push(values.slice(at, at + PAGE_VALUES));
  const encoded = pages.map((page) => {
    const out = new ByteWriter();
    codec.encode(page, out);
    return out.written();
  });
  const targets = pages.map((page) => new Float64Array(page.length));
  pages.forEach((page, i) => {
    codec.decode(new ByteReader(encoded[i]!), targets[i]!);
    const words = wordsOf(targets[i]!);
    const same = wordsOf(page).every((word, k) => word === words[k]);
    if (!same) throw new Error(`${codec.name} does not give back "${name}"`);
  });
  return {
    bytes: encoded.reduce((sum, { length }) => sum + length, 0) / values.length,
    encodeNs: timed(() => pages.forEach((page) => codec.encode(page, new ByteWriter()))) / values.length,
    decodeNs: timed(() => encoded.forEach((bytes, i) => codec.decode(new ByteReader(bytes), targets[i]!))) /
      values.length,
  };
}

/** Nanoseconds of the quickest run: what else the machine does only ever adds. */
function timed(run: () => void): number {
  let best = Infinity;
  for (const end = performance.now() + MEASURE_MS; performance.now() < end;) {
    const start = performance.now();
    run();
    best = Math.min(best, performance.now() - start);
  }
  return best * 1e6;
}

function printTable(
  series: readonly Series[],
  results: readonly (Measured | undefined)[][],
  title: string,
  cell: (result: Measured) => string,
): void {
  const rows = [[title, ...CODECS.map(({ name }) => name)]];
  rows.push(...series.map(({ name, values }, i) => [
    `${name} (${values.length.toLocaleString("en")})`,
    ...results[i]!.map((result) => result === undefined ? "–" : cell(result)),
  ]));
  const widths = rows[0]!.map((_, k) => Math.max(...rows.map((row) => row[k]!.length)));
  for (const row of rows) {
    console.log(
      row.map((text, k) => k === 0 ? text.padEnd(widths[k]!) : text.padStart(widths[k]!)).join("  "),
    );
  }
  console.log();
}

/** Texts in pages, as a column of strings has them, through each compressor of `--block-compressor`. */
function printCompressors(texts: readonly NamedBytes[]): void {
  console.log("compressors: part of the bytes that is left; MB/s in / out");
  for (const { name, bytes } of texts) {
    const cells = BLOCK_COMPRESSORS.map((compressor) => {
      setBlockCompressor(compressor);
      const out = new ByteWriter();
      encodeBytes(bytes, out);
      const packed = out.written().slice();
      const speed = (run: () => void) => (bytes.length * 1000 / timed(run)).toFixed(0);
      const encode = speed(() => encodeBytes(bytes, new ByteWriter()));
      const decode = speed(() => decodeBytes(new ByteReader(packed)));
      return `${compressor} ${(packed.length / bytes.length).toFixed(3)}, ${encode} / ${decode}`;
    });
    console.log(`${name} (${bytes.length.toLocaleString("en")} bytes): ${cells.join("; ")}`);
  }
  console.log();
}

/** Real series are not the paper's, but of the same kind: the same number of decimals of the same thing. */
function printPublished(series: readonly Series[], results: readonly (Measured | undefined)[][]): void {
  console.log("beside what ALP's authors report for the like (bytes a value)");
  for (const [i, { name, like }] of series.entries()) {
    const chosen = results[i]?.[0]?.bytes;
    if (like === undefined || chosen === undefined) continue;
    console.log(`${name}: ${chosen.toFixed(2)}; ${like.dataSet}: ${(like.bits / 8).toFixed(2)}`);
  }
}

if (import.meta.main) {
  const series = await loadSeries();
  const results = series.map((one) =>
    CODECS.map((codec) => codec.takes(one.values) ? measure(one, codec) : undefined)
  );
  printTable(series, results, "bytes a value", ({ bytes }) => bytes.toFixed(2));
  printTable(
    series,
    results,
    "ns a value: encode / decode",
    ({ encodeNs, decodeNs }) => `${encodeNs.toFixed(0)} / ${decodeNs.toFixed(0)}`,
  );
  printCompressors(loadTexts());
  printPublished(series, results);
}
