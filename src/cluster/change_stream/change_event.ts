/** One event of a change stream, with its fields in MongoDB's order. */
import {
  Binary,
  BuiltDocument,
  type Document,
  DocumentBuilder,
  Timestamp,
  UtcDate,
  type Value,
} from "../../bson/mod.ts";
import type { LogRecord } from "../../storage/mod.ts";
import type { CollectionInfo, Namespace } from "../catalog.ts";
import { wallMsOf } from "../cluster_clock.ts";
import { eventToken, eventTokenPrefix, type Position } from "./position.ts";

export interface ChangeEvent {
  readonly position: Position;
  readonly document: Document;
  /** Whether nothing comes behind it. */
  readonly isInvalidate: boolean;
}

/** What is told of every event. */
export interface EventHead {
  readonly operation: string;
  /** The event's number within its entry of the log. */
  readonly number: number;
  /** Told with showExpandedEvents only. */
  readonly uuid?: Value;
  /** As `namespaceDocument` makes it. */
  readonly namespace: Document;
}

/** Makes the events of one entry of the log: what they share is made once. */
export class EventMaker {
  private readonly time: bigint;
  private readonly tokenPrefix: string;
  private readonly clusterTime: Timestamp;
  private readonly wallTime: UtcDate;
  private readonly transaction: Readonly<Record<string, Value>>;

  constructor(record: LogRecord) {
    this.time = record.clusterTime;
    this.tokenPrefix = eventTokenPrefix(record.clusterTime);
    this.clusterTime = new Timestamp(record.clusterTime);
    this.wallTime = new UtcDate(wallMsOf(record.clusterTime));
    this.transaction = transactionOf(record);
  }

  /**
   * @param fullDocument `undefined` for none, which null is not
   * @param others behind the namespace
   * @param first before all that every event has
   */
  event(
    { operation, number, uuid, namespace }: EventHead,
    fullDocument: Value,
    others: Readonly<Record<string, Value>>,
    first: Readonly<Record<string, Value>> = {},
  ): ChangeEvent {
    const position: Position = { kind: "event", time: this.time, number, isInvalidate: false };
    const builder = new DocumentBuilder();
    appendAll(builder, this.transaction);
    appendAll(builder, first);
    builder
      .append("_id", eventToken(this.tokenPrefix, number, false))
      .append("operationType", operation)
      .append("clusterTime", this.clusterTime)
      .append("collectionUUID", uuid)
      .append("wallTime", this.wallTime)
      .append("fullDocument", fullDocument)
      .append("ns", namespace);
    appendAll(builder, others);
    return { position, document: builder.build(), isInvalidate: false };
  }

  /** The end of a stream, which an event of its brought about. @param number of that event */
  invalidate(number: number): ChangeEvent {
    const position: Position = { kind: "event", time: this.time, number, isInvalidate: true };
    const document = new DocumentBuilder()
      .append("_id", eventToken(this.tokenPrefix, number, true))
      .append("operationType", "invalidate")
      .append("clusterTime", this.clusterTime)
      .append("wallTime", this.wallTime)
      .build();
    return { position, document, isInvalidate: true };
  }
}

function appendAll(builder: DocumentBuilder, fields: Readonly<Record<string, Value>>): void {
  for (const name in fields) builder.append(name, fields[name]);
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
