/**
 * What a write did to regular collections, as the log keeps it. An entry's payload is a row of effects:
 *
 *     kind, 1 byte | collection, 4 bytes, little-endian | a document's BSON
 *
 *     1 insert    the document, whose _id is free
 *     2 replace   the document as it is from now on, in place of the one with its _id
 *     3 delete    {_id: …} of the document that goes
 *
 * Effects are applied without asking: that a key was free, or taken, was found out before they were logged.
 */
import { assert } from "../../base/mod.ts";
import { RawDocument } from "../../bson/mod.ts";

const KINDS = ["insert", "replace", "delete"] as const;
const HEADER_BYTES = 5;

export interface Effect {
  readonly kind: typeof KINDS[number];
  readonly collectionId: number;
  /** All of the document; of one that goes, at least the _id. */
  readonly document: RawDocument;
}

/** The parts of an entry's payload; the documents' bytes are not copied. */
export function encodeEffects(effects: readonly Effect[]): Uint8Array[] {
  return effects.flatMap(({ kind, collectionId, document }) => {
    const header = new Uint8Array(HEADER_BYTES);
    header[0] = KINDS.indexOf(kind) + 1;
    new DataView(header.buffer).setUint32(1, collectionId, true);
    return [header, document.slice()];
  });
}

/** Reads an entry's payload, whose checksum the log has verified. */
export function decodeEffects(payload: Uint8Array): Effect[] {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const effects: Effect[] = [];
  for (let at = 0; at < payload.length;) {
    const kind = KINDS[payload[at]! - 1];
    assert(kind !== undefined, `a document effect of kind ${payload[at]} is known`);
    const document = new RawDocument(payload, at + HEADER_BYTES);
    effects.push({ kind, collectionId: view.getUint32(at + 1, true), document });
    at = document.end;
  }
  return effects;
}
