/**
 * Checksums.
 *
 * `crc32` (IEEE 802.3, reflected polynomial 0xedb88320) guards what ChronoGo writes to disk: the platform's own runs
 * at memory speed. `crc32c` (Castagnoli, reflected 0x82f63b78) is what OP_MSG asks for.
 */
import { crc32 as zlibCrc32 } from "node:zlib";

/** The CRC-32 of `bytes` as an unsigned 32-bit number; `seed` continues an earlier one. */
export function crc32(bytes: Uint8Array, seed = 0): number {
  return zlibCrc32(bytes, seed);
}

const CASTAGNOLI = castagnoliTable();

/** The CRC-32C of `bytes[start, end)` as an unsigned 32-bit number. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = 0xffffffff;
  for (let i = start; i < end; i++) crc = CASTAGNOLI[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function castagnoliTable(): Uint32Array {
  const table = new Uint32Array(256);
  for (let n = 0; n < 256; n++) {
    let c = n;
    for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
    table[n] = c >>> 0;
  }
  return table;
}
