/** Doubles that are no decimals, as decimal.ts and alp.ts write them: varint count | places as gaps, varint | 8 bytes each. */
import type { ByteReader } from "../byte_buffer.ts";
import type { ReadValues } from "./integer.ts";

/** Puts them into their places among those that were read. */
export function readExactDoubles(reader: ByteReader, words: Int32Array, { from, to }: ReadValues): void {
  const count = reader.varint();
  if (count === 0) return;
  const places = new Int32Array(count);
  for (let i = 0, place = 0; i < count; i++) places[i] = place += reader.varint();
  for (const place of places) {
    const low = reader.uint32();
    const high = reader.uint32();
    if (place < from || place >= to) continue;
    words[2 * place] = low;
    words[2 * place + 1] = high;
  }
}
