/** What a pipeline makes can be larger than a document may be that leaves the server. */
import { CommandError, MAX_INTERNAL_DOCUMENT_BYTES } from "../base/mod.ts";
import type { Document } from "../bson/mod.ts";
import { elementText } from "./element_text.ts";

/** The text of an array may be longer than the array. */
const MAX_ELEMENT_TEXT = 1 << 20;

/** @throws CommandError BSONObjectTooLarge for a document that takes so many bytes */
export function checkLeavingSize(document: Document, sizeBytes: number): void {
  if (sizeBytes <= MAX_INTERNAL_DOCUMENT_BYTES) return;
  const name = document.names()[0]!;
  const first = elementText(name, document.get(name)).slice(0, MAX_ELEMENT_TEXT);
  throw new CommandError(
    "BSONObjectTooLarge",
    `BSONObj size: ${sizeBytes} (0x${
      sizeBytes.toString(16).toUpperCase()
    }) is invalid. Size must be between 0 and ` +
      `${MAX_INTERNAL_DOCUMENT_BYTES}(16MB) First element: ${first}`,
  );
}
