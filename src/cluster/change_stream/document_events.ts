/** The events of writes: to regular collections by the effects in the log, to time series by the measurements. */
import { BuiltDocument, type Document, Timestamp, type Value } from "../../bson/mod.ts";
import { CommandError } from "../../base/mod.ts";
import {
  decodeChange,
  decodeEffects,
  documentsFrom,
  documentsOfInsert,
  type Effect,
  type LogRecord,
} from "../../storage/mod.ts";
import { type CollectionInfo } from "../catalog.ts";
import { decodeMeasurements, EntryKind } from "../entry.ts";
import { type ChangeEvent, EventMaker, namespaceDocument } from "./change_event.ts";
import { rawUpdateDescription } from "./raw_update.ts";
import { updateDescription } from "./update_description.ts";

/** How documents are shown beside what changed in them. */
export interface Images {
  /** Of an update: not at all, as it is when the event is read, or as it was right after the update. */
  readonly fullDocument: "default" | "updateLookup" | "whenAvailable" | "required";
  readonly fullDocumentBeforeChange: "off" | "whenAvailable" | "required";
}

export interface DocumentEvents {
  readonly images: Images;
  /** With the collection's UUID and disambiguated paths: showExpandedEvents. */
  readonly isExpanded: boolean;
  /** Updates as MongoDB's oplog has them: showRawUpdateDescription. */
  readonly showsRaw: boolean;
  /** A collection of that id that is looked at, as it was when the entry was logged. */
  readonly collection: (id: number) => CollectionInfo | undefined;
  /** A document of a regular collection as it is now. */
  readonly lookUp: (collectionId: number, id: Value) => Document | undefined;
}

/** The events of an entry of a VNode. */
export function documentEvents(record: LogRecord, options: DocumentEvents): readonly ChangeEvent[] {
  return record.kind === EntryKind.Documents
    ? effectEvents(record, options)
    : measurementEvents(record, options);
}

/** A collection that is looked at, and what its events share. */
interface Watched {
  readonly info: CollectionInfo;
  readonly namespace: Document;
  readonly uuid: Value;
}

function watchedOf(id: number, { collection, isExpanded }: DocumentEvents): Watched | undefined {
  const info = collection(id);
  if (info === undefined) return undefined;
  return { info, namespace: namespaceDocument(info), uuid: isExpanded ? info.uuid : undefined };
}

function effectEvents(record: LogRecord, options: DocumentEvents): readonly ChangeEvent[] {
  const events: ChangeEvent[] = [];
  const maker = new EventMaker(record);
  const watched = new Map<number, Watched | undefined>();
  for (const [number, effect] of decodeEffects(record.payload).entries()) {
    const id = effect.collectionId;
    if (!watched.has(id)) watched.set(id, watchedOf(id, options));
    const collection = watched.get(id);
    if (collection === undefined || isEviction(effect, collection.info)) continue;
    const { info, namespace, uuid } = collection;
    const head = { operation: effect.kind, number, namespace, uuid };
    events.push(maker.event(head, shownDocument(record, effect, info, options), {
      documentKey: documentKey(effect.document),
      ...descriptionOf(effect, options),
      fullDocumentBeforeChange: effect.kind === "insert"
        ? undefined
        : documentBefore(record, effect, info, options),
    }));
  }
  return events;
}

function descriptionOf({ document, changes }: Effect, { isExpanded, showsRaw }: DocumentEvents) {
  if (changes === undefined) return {};
  return showsRaw
    ? { rawUpdateDescription: rawUpdateDescription(document, changes) }
    : { updateDescription: updateDescription(document, changes, isExpanded) };
}

/** What a capped collection loses to new documents is not told. */
function isEviction({ kind }: Effect, { options }: CollectionInfo): boolean {
  return kind === "delete" && options.get("capped") === true;
}

function documentKey(document: Document): Document {
  return new BuiltDocument(ID, [document.get("_id")]);
}

const ID = ["_id"];

/** The whole document, where the event has it. */
function shownDocument(
  record: LogRecord,
  effect: Effect,
  info: CollectionInfo,
  options: DocumentEvents,
): Value {
  switch (effect.kind) {
    case "insert":
    case "replace":
      return effect.document;
    case "update":
      return updatedDocument(record, effect, info, options);
    case "delete":
      return undefined;
  }
}

/** The document of an update. */
function updatedDocument(
  record: LogRecord,
  effect: Effect,
  info: CollectionInfo,
  { images, lookUp }: DocumentEvents,
): Value {
  const { fullDocument } = images;
  if (fullDocument === "default") return undefined;
  if (fullDocument === "updateLookup") {
    return lookUp(effect.collectionId, effect.document.get("_id")) ?? null;
  }
  // The entry has it in any case; as in MongoDB it is shown where the collection is to keep images.
  if (effect.before !== undefined) return effect.document;
  if (fullDocument === "required") {
    throw missingImage("a post-image for all update events", "post-image", record, effect, info);
  }
  return null;
}

function documentBefore(
  record: LogRecord,
  effect: Effect,
  info: CollectionInfo,
  { images }: DocumentEvents,
): Value {
  const { fullDocumentBeforeChange } = images;
  if (fullDocumentBeforeChange === "off") return undefined;
  if (effect.before !== undefined) return effect.before;
  if (fullDocumentBeforeChange === "required") {
    const what = "a pre-image for all update, delete and replace events";
    throw missingImage(what, "pre-image", record, effect, info);
  }
  return null;
}

function missingImage(
  what: string,
  image: string,
  { clusterTime }: LogRecord,
  { kind }: Effect,
  { db, collection }: CollectionInfo,
): CommandError {
  const time = new Timestamp(clusterTime);
  return new CommandError(
    "NoMatchingDocument",
    `Change stream was configured to require ${what}, but the ${image} was not found for event: ` +
      `{operationType: "${kind}", ns: {db: "${db}", coll: "${collection}"}, clusterTime: ` +
      `Timestamp(${time.t}, ${time.i})}`,
  );
}

/** Measurements that came; one that took the place of another counts as replaced. What went for good is not told. */
function measurementEvents(record: LogRecord, options: DocumentEvents): readonly ChangeEvent[] {
  const { tableId, rows } = decodeMeasurements(record.payload);
  const watched = watchedOf(tableId, options);
  if (watched === undefined) return [];
  const { operation, documents } = record.kind === EntryKind.Measurements
    ? { operation: "insert", documents: documentsOfInsert(rows) }
    : changedMeasurements(rows);
  const { namespace, uuid } = watched;
  const maker = new EventMaker(record);
  return documents.map((document, number) => {
    const head = { operation, number, namespace, uuid };
    return maker.event(head, document, { documentKey: documentKey(document) });
  });
}

function changedMeasurements(
  rows: Uint8Array,
): { readonly operation: string; readonly documents: readonly Document[] } {
  const change = decodeChange(rows);
  return {
    operation: change.blocks().length > 0 ? "replace" : "insert",
    documents: documentsFrom(rows, change.documentsStart),
  };
}
