/**
 * A change of a table as the log holds it: measurements that go, and measurements that come (an update is both).
 *
 *     payload   byte version (1) | removed rows (removed_rows.ts) | BSON documents, one behind the other
 */
import { assert } from "../../base/mod.ts";
import { ByteReader, ByteWriter } from "../../column/mod.ts";
import { readSpans, type SpanBlock } from "./removed_rows.ts";

const VERSION = 1;

/** @param documents as `prepareMeasurements` lays them out */
export function encodeChange(removed: Uint8Array, documents: Uint8Array): Uint8Array {
  const out = new ByteWriter(1 + removed.length + documents.length);
  out.byte(VERSION);
  out.bytes(removed);
  out.bytes(documents);
  return out.written();
}

export interface DecodedChange {
  readonly blocks: readonly SpanBlock[];
  /** Where the documents start in the payload; they reach to its end. */
  readonly documentsStart: number;
}

export function decodeChange(payload: Uint8Array): DecodedChange {
  const reader = new ByteReader(payload);
  const version = reader.byte();
  assert(version === VERSION, `version ${version} of a change's payload is known`);
  const blocks = [...readSpans(reader)];
  return { blocks, documentsStart: payload.length - reader.remaining };
}
