/** Empty timestamps at the top of a document that is inserted stand for the time of the insert, as in MongoDB; one that is the _id does not. */
import { BsonType, elementType, RawDocument, skipElement, valueStart } from "../bson/mod.ts";
import { timestampOf } from "../query/mod.ts";

const HEADER_BYTES = 4;
const TIMESTAMP_BYTES = 8;

/** The documents with their times; the same objects where nothing is to be done. */
export function withTimes(documents: readonly RawDocument[], nowMs: () => number): readonly RawDocument[] {
  return documents.map((document) => {
    const places = emptyTimestamps(document);
    if (places.length === 0) return document;
    const bytes = document.bytes.slice(document.start, document.end);
    const view = new DataView(bytes.buffer);
    for (const place of places) {
      view.setBigUint64(place - document.start, timestampOf(nowMs()).toBigInt(), true);
    }
    return new RawDocument(bytes);
  });
}

function emptyTimestamps({ bytes, start, end }: RawDocument): readonly number[] {
  const places: number[] = [];
  for (let at = start + HEADER_BYTES; at < end - 1; at = skipElement(bytes, at)) {
    if (elementType(bytes, at) !== BsonType.Timestamp) continue;
    const place = valueStart(bytes, at);
    if (
      bytes.subarray(place, place + TIMESTAMP_BYTES).every((byte) => byte === 0) && !isId(bytes, at, place)
    ) {
      places.push(place);
    }
  }
  return places;
}

function isId(bytes: Uint8Array, at: number, value: number): boolean {
  return value - at === "_id".length + 2 &&
    String.fromCharCode(...bytes.subarray(at + 1, value - 1)) === "_id";
}
