/** A regular collection as its writers know it. */
import type { Logger } from "../base/mod.ts";
import type { DocumentStore } from "../storage/mod.ts";
import { cappedLimits } from "./capped.ts";
import { type CollectionInfo, keepsPreImages, namespaceText } from "./catalog.ts";
import { clusteredName } from "./clustered.ts";
import { type DocumentCheck, documentCheck } from "./document_check.ts";
import type { WrittenCollection } from "./document_writer.ts";
import { placeCheck, placeIndexes } from "./place_check.ts";
import { sourceIndexes } from "./document_source.ts";

/** @param bypass whether the collection's validator is not asked */
export function writtenCollection(
  store: Pick<DocumentStore, "indexStates" | "hasPlainIds">,
  info: CollectionInfo,
  bypass: boolean,
  logger: Logger,
): WrittenCollection {
  return {
    id: info.id,
    namespace: namespaceText(info),
    indexes: () => sourceIndexes(store, info),
    placeIndexes: placeIndexes(info),
    clusteredIndex: clusteredName(info),
    limits: cappedLimits(info),
    check: both(bypass ? undefined : documentCheck(info, logger), placeCheck(info.indexes)),
    keepsPreImages: keepsPreImages(info),
  };
}

function both(
  first: DocumentCheck | undefined,
  second: DocumentCheck | undefined,
): DocumentCheck | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return (document, old) => first(document, old) ?? second(document, old);
}
