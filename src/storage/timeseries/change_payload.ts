/**
 * A change of a table as the log holds it: measurements that go, and measurements that come (an update is both).
 *
 *     payload   byte version (1) | varint bytes of the next | removed rows (removed_rows.ts)
 *               | BSON documents, one behind the other
 */
import { assert } from "../../base/mod.ts";
import { ByteReader, ByteWriter } from "../../column/mod.ts";
import { readSpans, type SpanBlock } from "./removed_rows.ts";

const VERSION = 1;
/** What stands before the removed rows. */
const MAX_HEAD_BYTES = 9;

/** @param documents as `prepareMeasurements` lays them out */
export function encodeChange(removed: Uint8Array, documents: Uint8Array): Uint8Array {
  const out = new ByteWriter(removed.length + documents.length + MAX_HEAD_BYTES);
  out.byte(VERSION);
  out.sizedBytes(removed);
  out.bytes(documents);
  return out.written();
}

export interface DecodedChange {
  /** The removed rows; decoded when they are asked for. */
  readonly blocks: () => readonly SpanBlock[];
  /** Where the documents start in the payload; they reach to its end. */
  readonly documentsStart: number;
}

export function decodeChange(payload: Uint8Array): DecodedChange {
  const reader = new ByteReader(payload);
  const version = reader.byte();
  assert(version === VERSION, `version ${version} of a change's payload is known`);
  const removed = reader.sizedBytes();
  const documentsStart = payload.length - reader.remaining;
  return { blocks: () => [...readSpans(new ByteReader(removed))], documentsStart };
}
