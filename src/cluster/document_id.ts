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
  valueStart,
} from "../bson/mod.ts";

const HEADER_BYTES = 4;
const GENERATED_ID_BYTES = 17;

/**
 * The document with its _id in front; the same object when nothing is to be done.
 *
 * @throws CommandError InvalidIdField (53) when the _id is an array, a regular expression or undefined;
 *   DollarPrefixedFieldName (52) when it is a document with a field that starts with a dollar; BadValue (2) when there are two
 */
export function withIdFirst(document: RawDocument): RawDocument {
  const at = document.find("_id");
  if (at >= 0) {
    checkId(document.bytes, at);
    checkOnlyId(document, at);
  }
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

/** @throws CommandError BadValue when another _id stands behind the first one */
function checkOnlyId(document: RawDocument, first: number): void {
  const last = document.end - 1;
  for (let at = skipElement(document.bytes, first); at < last; at = skipElement(document.bytes, at)) {
    if (isId(document.bytes, at + 1)) {
      throw new CommandError("BadValue", "can't have multiple _id fields in one document");
    }
  }
}

/** Whether the name at `at` is `_id`. */
function isId(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0x5f && bytes[at + 1] === 0x69 && bytes[at + 2] === 0x64 && bytes[at + 3] === 0;
}

function checkId(bytes: Uint8Array, at: number): void {
  const type = elementType(bytes, at);
  if (type === BsonType.Array || type === BsonType.Regex || type === BsonType.Undefined) {
    throw new CommandError("InvalidIdField", `The '_id' value cannot be of type ${aliasOfType(type)}`);
  }
  if (type !== BsonType.Object) return;
  const name = new RawDocument(bytes, valueStart(bytes, at)).names().find((name) => name.startsWith("$"));
  if (name !== undefined) {
    throw new CommandError(
      "DollarPrefixedFieldName",
      `_id fields may not contain '$'-prefixed fields: ${name} is not valid for storage.`,
    );
  }
}
