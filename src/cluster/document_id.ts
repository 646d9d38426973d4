/**
 * Every regular document has an _id, and it stands first: as MongoDB's server does on insert, one that stands elsewhere
 * is moved and a missing one is generated.
 */
import { CommandError } from "../base/mod.ts";
import {
  aliasOfType,
  BsonType,
  BsonWriter,
  elementType,
  ObjectId,
  RawDocument,
  skipElement,
} from "../bson/mod.ts";

const HEADER_BYTES = 4;
const GENERATED_ID_BYTES = 17;

/**
 * The document with its _id in front; the same object when nothing is to be done.
 *
 * @throws CommandError InvalidIdField (53) when the _id is an array, a regular expression or undefined
 */
export function withIdFirst(document: RawDocument): RawDocument {
  const at = document.find("_id");
  if (at >= 0) checkIdType(elementType(document.bytes, at));
  if (at === document.start + HEADER_BYTES) return document;
  const writer = new BsonWriter(document.sizeBytes + GENERATED_ID_BYTES);
  const start = writer.beginDocument();
  const { bytes } = document;
  const firstElement = document.start + HEADER_BYTES;
  const lastByte = document.end - 1;
  if (at < 0) {
    writer.value("_id", new ObjectId());
    writer.bytes(bytes, firstElement, lastByte);
  } else {
    const idEnd = skipElement(bytes, at);
    writer.bytes(bytes, at, idEnd);
    writer.bytes(bytes, firstElement, at);
    writer.bytes(bytes, idEnd, lastByte);
  }
  writer.endDocument(start);
  return new RawDocument(writer.take());
}

function checkIdType(type: BsonType): void {
  if (type === BsonType.Array || type === BsonType.Regex || type === BsonType.Undefined) {
    throw new CommandError("InvalidIdField", `The '_id' value cannot be of type ${aliasOfType(type)}`);
  }
}
