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
/** Chunks begin small, since most writes are, and double up to this size. */
const FIRST_CHUNK_BYTES = 1024;
const MAX_CHUNK_BYTES = 256 * 1024;

export interface Effect {
  readonly kind: typeof KINDS[number];
  readonly collectionId: number;
  /** All of the document; of one that goes, at least the _id. */
  readonly document: RawDocument;
}

/** Effects on their way to the log, as bytes: a write of many documents keeps no object for each. */
export class EffectBuffer {
  /** Full ones, each of whole effects. */
  private readonly chunks: Uint8Array[] = [];
  private chunk = new Uint8Array(0);
  private at = 0;
  private chunksBytes = 0;

  /** Bytes of all effects. */
  get sizeBytes(): number {
    return this.chunksBytes + this.at;
  }

  /** Copies an effect. */
  add({ kind, collectionId, document }: Effect): void {
    this.reserve(HEADER_BYTES + document.sizeBytes);
    const { chunk, at } = this;
    chunk[at] = KINDS.indexOf(kind) + 1;
    chunk[at + 1] = collectionId;
    chunk[at + 2] = collectionId >> 8;
    chunk[at + 3] = collectionId >> 16;
    chunk[at + 4] = collectionId >> 24;
    chunk.set(document.slice(), at + HEADER_BYTES);
    this.at = at + HEADER_BYTES + document.sizeBytes;
  }

  /** An entry's payload in parts, each of whole effects; not copied. */
  parts(): readonly Uint8Array[] {
    return this.at === 0 ? [...this.chunks] : [...this.chunks, this.written()];
  }

  private reserve(bytes: number): void {
    if (this.at + bytes <= this.chunk.length) return;
    if (this.at > 0) {
      this.chunks.push(this.written());
      this.chunksBytes += this.at;
      this.at = 0;
    }
    const next = Math.min(MAX_CHUNK_BYTES, Math.max(FIRST_CHUNK_BYTES, this.chunk.length * 2));
    this.chunk = new Uint8Array(Math.max(next, bytes));
  }

  private written(): Uint8Array {
    return this.chunk.subarray(0, this.at);
  }
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
