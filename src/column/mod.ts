/** Typed columns, their pages and codecs: pure functions, bytes in, bytes out. */
export { ByteReader, ByteWriter } from "./byte_buffer.ts";
export { bsonBytes } from "./bson_bytes.ts";
export { Column, copyBytes, MIXED, NO_TYPE, viewOf } from "./column.ts";
export { BLOCK_VALUES } from "./codec/block_values.ts";
export { codecName, integerCodecName } from "./codec/codec_name.ts";
export {
  decode as decodeBytes,
  encode as encodeBytes,
  encodePacked,
  setBlockCompressor,
} from "./codec/compression.ts";
export { decode as decodeIntegers, encode as encodeIntegers, skip as skipIntegers } from "./codec/integer.ts";
export { decode as decodeDoubles, encode as encodeDoubles } from "./codec/double.ts";
export type { Effort } from "./codec/effort.ts";
export {
  blockValueBytes,
  decode as decodePage,
  encode as encodePage,
  openInBlocks,
  readValues,
} from "./codec/page.ts";
export { MemoryAccount } from "./memory_account.ts";
export { type PageStatistics, statisticsOf } from "./page_statistics.ts";
export { BYTES, sizeOfType, typeBit, ValueType, wordsOfType } from "./value_type.ts";
export {
  grownBytes,
  grownDoubles,
  grownInt32s,
  newBytes,
  newDoubles,
  newInt32s,
  NO_BYTES,
  NO_DOUBLES,
  NO_INT32S,
} from "./small_arrays.ts";
export { bytesFor, bytesOfEach, grownInt32, type Words, wordsOver, zeroWords } from "./words.ts";
