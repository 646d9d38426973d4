/**
 * What a write did to regular collections, as the log keeps it. An entry's payload is a row of effects:
 *
 *     kind, 1 byte | collection, 4 bytes, little-endian | a document's BSON | …
 *
 *     1 insert    the document, whose _id is free
 *     2 replace   the document as it is from now on, in place of the one with its _id
 *     3 delete    {_id: …} of the document that goes
 *     4 update    as replace; behind the document 4 bytes with the length of what follows, and which of its fields
 *                 changed (field_change.ts)
 *     5 before    the document as it was before the effect that follows: for change streams, where the collection
 *                 keeps that
 *
 * Effects are applied without asking: that a key was free, or taken, was found out before they were logged.
 */
import { assert } from "../../base/mod.ts";
import { RawDocument } from "../../bson/mod.ts";
import {
  decodeFieldChanges,
  type FieldChange,
  maxFieldChangesBytes,
  writeFieldChanges,
} from "./field_change.ts";

const KINDS = ["insert", "replace", "delete", "update"] as const;
const UPDATE = 4;
const BEFORE = 5;
const LENGTH_BYTES = 4;
const HEADER_BYTES = 5;
/** Chunks begin small, since most writes are, and double up to this size. */
const FIRST_CHUNK_BYTES = 1024;
const MAX_CHUNK_BYTES = 256 * 1024;

export interface Effect {
  readonly kind: typeof KINDS[number];
  readonly collectionId: number;
  /** All of the document; of one that goes, at least the _id. */
  readonly document: RawDocument;
  /** Of an update: what it changed. */
  readonly changes?: readonly FieldChange[];
  /** The document before, where the collection keeps that. */
  readonly before?: RawDocument;
}

/** What the log keeps of a change for those who follow it. */
export type NotedChange = Pick<Effect, "changes" | "before">;

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
  add({ kind, collectionId, document, changes, before }: Effect): void {
    const beforeBytes = before === undefined ? 0 : HEADER_BYTES + before.sizeBytes;
    const changedBytes = kind !== "update" ? 0 : LENGTH_BYTES + maxFieldChangesBytes(changes ?? []);
    this.reserve(beforeBytes + HEADER_BYTES + document.sizeBytes + changedBytes);
    if (before !== undefined) this.put(BEFORE, collectionId, before);
    this.put(KINDS.indexOf(kind) + 1, collectionId, document);
    if (kind !== "update") return;
    const start = this.at + LENGTH_BYTES;
    const end = writeFieldChanges(this.chunk, start, changes ?? []);
    this.putNumber(end - start);
    this.at = end;
  }

  private put(kind: number, collectionId: number, document: RawDocument): void {
    this.chunk[this.at++] = kind;
    this.putNumber(collectionId);
    this.chunk.set(document.slice(), this.at);
    this.at += document.sizeBytes;
  }

  private putNumber(number: number): void {
    const { chunk, at } = this;
    chunk[at] = number;
    chunk[at + 1] = number >> 8;
    chunk[at + 2] = number >> 16;
    chunk[at + 3] = number >> 24;
    this.at = at + LENGTH_BYTES;
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
  let before: RawDocument | undefined;
  for (let at = 0; at < payload.length;) {
    const number = payload[at]!;
    const collectionId = view.getUint32(at + 1, true);
    const document = new RawDocument(payload, at + HEADER_BYTES);
    at = document.end;
    if (number === BEFORE) {
      before = document;
      continue;
    }
    const kind = KINDS[number - 1];
    assert(kind !== undefined, `a document effect of kind ${number} is known`);
    let changes: readonly FieldChange[] | undefined;
    if (number === UPDATE) {
      const start = at + LENGTH_BYTES;
      at = start + view.getUint32(at, true);
      changes = decodeFieldChanges(payload.subarray(start, at));
    }
    effects.push({ kind, collectionId, document, ...(changes && { changes }), ...(before && { before }) });
    before = undefined;
  }
  return effects;
}
