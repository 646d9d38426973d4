/**
 * What a write did to regular collections, as the log keeps it. An entry's payload is a row of effects:
 *
 *     insert   1 | collection, 4 bytes, little-endian | the document's BSON
 *
 * Effects are applied without asking: that a key was free was found out before they were logged.
 */
import { assert } from "../../base/mod.ts";
import { RawDocument } from "../../bson/mod.ts";

const INSERT = 1;
const HEADER_BYTES = 5;

/** A document as `insert` stored it. */
export interface InsertEffect {
  readonly collectionId: number;
  readonly document: RawDocument;
}

/** The parts of an insert's effect; the document's bytes are not copied. */
export function encodeInsert(collectionId: number, document: RawDocument): readonly [Uint8Array, Uint8Array] {
  const header = new Uint8Array(HEADER_BYTES);
  header[0] = INSERT;
  new DataView(header.buffer).setUint32(1, collectionId, true);
  return [header, document.slice()];
}

/** Reads an entry's payload, whose checksum the log has verified. */
export function decodeEffects(payload: Uint8Array): InsertEffect[] {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const effects: InsertEffect[] = [];
  for (let at = 0; at < payload.length;) {
    assert(payload[at] === INSERT, `a document effect of kind ${payload[at]} is known`);
    const document = new RawDocument(payload, at + HEADER_BYTES);
    effects.push({ collectionId: view.getUint32(at + 1, true), document });
    at = document.end;
  }
  return effects;
}
