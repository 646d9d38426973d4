/** Bytes as earlier encoders wrote them: the codecs may choose otherwise today, but what is stored stays readable. */
import assert from "node:assert/strict";
import { ByteReader } from "../byte_buffer.ts";
import * as double from "./double.ts";
import * as integer from "./integer.ts";

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

function series(count: number, at: (i: number) => number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => at(i));
}

const DOUBLES: [what: string, stored: string, values: Float64Array][] = [
  ["decimals", "AAIC1wT6AQADBQEB+QH0A/kBAQUAAAAAAAD4fw==", series(12, (i) => i === 5 ? NaN : i * 1.25 - 3)],
  [
    "byte planes",
    "AQABwAI0KLUv/QBYXQEAsAAAzaoAO0x/WGbonnqgtvD2+z8/P0AIAABJgGcADw4eHDw4eHDwYHiKFg==",
    series(40, (i) => Math.sqrt(i % 5)),
  ],
  [
    "byte planes of XOR",
    "AQEBwAKlAii1L/0AWOUIAOQQzQAXFw0aiZ6Kh/rgTcRD3UfNRMO9R8EhYi/iJmEi/yJmIeIvYibhIjsAV1cxZjhvGCn4ngw0HHMUDDQd9AyA" +
    "HgoGOg4aBgl6DhoGCj4KBxp/AKCgYMBw0DBQ8TGY6LhomKj4qJloRXTMVDzUTPRcNMxU/FTMNFz0ZgCqqmbMVf9VM8wAfyoZ5ioVFQxzFT8V" +
    "DPNzngDo6Fiw/BQsdB+v9goeCjYaDnoJFqgHDfsFDwUbDQc9CwUfBQt9B6AAWFjosDRs1DxU5Jqu+paqfqqW+q5fu1XPddtNt91L9V+1y133" +
    "Tdv28BYGCjwDBQ8FAx8CAQYDDgEDBgECfwABAwEABwEAAwEPAAEDAAEHP38ABAA73AcIBkImcBU0",
    series(40, (i) => Math.sqrt(2) * (i + 1)),
  ],
];

const INTEGERS: [what: string, stored: string, values: Float64Array][] = [
  ["frame of reference, bits", "AAAEcJK0FjhaAA==", series(12, (i) => (i * 7) % 12)],
  ["delta of delta, bits", "AgACAwBJkiQJAA==", series(12, (i) => i * i)],
  [
    "delta of delta, wider bits",
    "AoCgq/75YtAPEQAAAACAuwDuAsoIcBeYOqCMIEgB7oKXBqYOAA==",
    series(12, (i) => i * i * i * 1000 + 1.7e12),
  ],
  ["halves", "AwAABAAFAAKAgIAC////AwACAgGAgIAG//9/", Float64Array.of(2 ** 53, -(2 ** 53), 5, 2 ** 52)],
  [
    "Huffman codes",
    "EACjAQXBgQHAMAzDIOR0/788MJ2YnjgxnZg+04npiYnpxPRJJ6Ynps90YnpiYjoxfdKJ6YmJ6cT0xInpxPSZTkxPTEwnpk86MT0xfaYT0xMT" +
    "04npk05MT0xMJ6ZPnJhOTJ/pxPTExHRi+qQT0xMT04npiRPTiekznZiemJhOTJ90Ynpi+kwnpicmphPTJ52YnpiYTkyfODGdmD7TiemJienE" +
    "9Ekn5gcA",
    series(600, (i) => Math.min(5, Math.clz32(Math.imul(i + 1, 0x9e3779b1)))),
  ],
];

for (const [what, stored, values] of DOUBLES) {
  Deno.test(`stored doubles are read: ${what}`, () => {
    const reader = new ByteReader(bytesOf(stored));
    const target = new Float64Array(values.length);
    double.decode(reader, values.length, new Int32Array(target.buffer));
    assert.deepEqual(new BigUint64Array(target.buffer), new BigUint64Array(values.buffer));
    assert.equal(reader.remaining, 0);
  });
}

for (const [what, stored, values] of INTEGERS) {
  Deno.test(`stored integers are read: ${what}`, () => {
    const reader = new ByteReader(bytesOf(stored));
    const target = new Float64Array(values.length);
    integer.decode(reader, values.length, target);
    assert.deepEqual(target, values);
    assert.equal(reader.remaining, 0);
  });
}
