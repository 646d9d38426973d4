/** A large insert goes piece by piece: it takes little memory beside its message, and others run in between. */
import { INSERT_PIECE_BYTES } from "../base/mod.ts";
import type { RawDocument } from "../bson/mod.ts";

/** Where the piece ends that begins at a place. */
export function endOfPiece(documents: readonly RawDocument[], start: number): number {
  let end = start;
  let bytes = 0;
  while (end < documents.length && bytes < INSERT_PIECE_BYTES) bytes += documents[end++]!.sizeBytes;
  return end;
}
