/** One event of a change stream, with its fields in MongoDB's order. */
import { Binary, BuiltDocument, type Document, Timestamp, UtcDate, type Value } from "../../bson/mod.ts";
import type { LogRecord } from "../../storage/mod.ts";
import type { CollectionInfo, Namespace } from "../catalog.ts";
import { wallMsOf } from "../cluster_clock.ts";
import { type Position, tokenOf } from "./position.ts";

export interface ChangeEvent {
  readonly position: Position;
  readonly document: Document;
  /** Whether nothing comes behind it. */
  readonly isInvalidate: boolean;
}

/** What is told of every event. */
export interface EventHead {
  readonly operation: string;
  readonly record: LogRecord;
  /** The event's number within its entry of the log. */
  readonly number: number;
  /** Told with showExpandedEvents only. */
  readonly uuid?: Value;
  readonly namespace: Namespace | { readonly db: string };
}

/**
 * @param fullDocument `undefined` for none, which null is not
 * @param others behind the namespace
 */
export function eventOf(
  { operation, record, number, uuid, namespace }: EventHead,
  fullDocument: Value,
  others: Readonly<Record<string, Value>>,
  first: Readonly<Record<string, Value>> = {},
): ChangeEvent {
  const position: Position = { kind: "event", time: record.clusterTime, number, isInvalidate: false };
  const document = BuiltDocument.of({
    ...transactionOf(record),
    ...first,
    _id: tokenOf(position),
    operationType: operation,
    clusterTime: new Timestamp(record.clusterTime),
    collectionUUID: uuid,
    wallTime: wallTimeOf(record),
    fullDocument,
    ns: namespaceDocument(namespace),
    ...others,
  });
  return { position, document, isInvalidate: false };
}

/** SHA-256 of the empty text, which MongoDB has for a user without a name. */
const NO_USER = new Binary(
  Uint8Array.from(
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".match(/../g)!,
    (byte) => parseInt(byte, 16),
  ),
  Binary.SUBTYPE_DEFAULT,
);

/** The client's transaction that an entry commits, if it does. */
function transactionOf({ lsid, txnNumber }: LogRecord): Readonly<Record<string, Value>> {
  if (lsid === undefined || txnNumber === undefined) return {};
  return { txnNumber, lsid: BuiltDocument.of({ id: new Binary(lsid, Binary.SUBTYPE_UUID), uid: NO_USER }) };
}

/** The end of a stream, which an event of its brought about. */
export function invalidateOf(record: LogRecord, number: number): ChangeEvent {
  const position: Position = { kind: "event", time: record.clusterTime, number, isInvalidate: true };
  const document = BuiltDocument.of({
    _id: tokenOf(position),
    operationType: "invalidate",
    clusterTime: new Timestamp(record.clusterTime),
    wallTime: wallTimeOf(record),
  });
  return { position, document, isInvalidate: true };
}

export function namespaceDocument(namespace: Namespace | { readonly db: string }): Document {
  return BuiltDocument.of({
    db: namespace.db,
    coll: "collection" in namespace ? namespace.collection : undefined,
  });
}

/** The UUID as expanded events tell it: a view has none. */
export function uuidOf({ view, uuid }: CollectionInfo): Value {
  return view === undefined ? uuid : undefined;
}

function wallTimeOf({ clusterTime }: LogRecord): UtcDate {
  return new UtcDate(wallMsOf(clusterTime));
}
