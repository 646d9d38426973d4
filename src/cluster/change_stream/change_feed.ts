/**
 * The events of a change stream, read from the log as it grows. A feed holds nothing but its place in the log: when that is not
 * kept any more, it ends with ChangeStreamHistoryLost.
 */
import { CommandError } from "../../base/mod.ts";
import type { Document, Value } from "../../bson/mod.ts";
import type { Log, LogFollower, LogRecord } from "../../storage/mod.ts";
import type { CollectionInfo } from "../catalog.ts";
import { MNODE_GROUP } from "../entry.ts";
import { catalogEvents } from "./catalog_events.ts";
import type { ChangeEvent } from "./change_event.ts";
import { documentEvents, type Images } from "./document_events.ts";
import { isBefore, type Position, tokenData } from "./position.ts";
import { covers, type Scope } from "./scope.ts";

export interface ChangeFeedOptions extends Images {
  readonly scope: Scope;
  /** Whether events of the catalog beside drops and renames, and the collections' UUIDs, are told. */
  readonly showExpandedEvents: boolean;
  /** Whether updates are told as MongoDB's oplog has them, instead of by their paths. */
  readonly showRawUpdateDescription: boolean;
  /** Where it begins; undefined for now. An event that it names must be one of this stream. */
  readonly from: Position | undefined;
}

/** What a feed asks of its node. */
export interface ChangeFeedNode {
  readonly log: Pick<Log, "follow" | "followNew" | "onAppended">;
  /** Cluster time up to which all entries can be read. */
  readonly readableTime: () => bigint;
  readonly collectionAt: (id: number, index: number) => CollectionInfo | undefined;
  readonly endedBy: (index: number) => readonly CollectionInfo[];
  readonly lookUp: (collectionId: number, id: Value) => Document | undefined;
}

/** What `next` read. */
export interface FeedPiece {
  readonly events: readonly ChangeEvent[];
  /** Whether there are no more at the moment. */
  readonly isAtEnd: boolean;
  /** The place behind all that was read. */
  readonly position: Position;
}

export class ChangeFeed {
  private readonly follower: LogFollower;
  /** The catalog's entry that was read last. */
  private catalogIndex: number;
  /** Events up to this one are passed over; undefined once it was found. */
  private awaited: (Position & { readonly kind: "event" }) | undefined;
  private position: Position;
  /** Where it begins. */
  readonly start: Position;

  /** @throws CommandError ChangeStreamHistoryLost */
  constructor(private readonly node: ChangeFeedNode, private readonly options: ChangeFeedOptions) {
    const { from } = options;
    this.position = this.start = from ?? { kind: "after", time: node.readableTime() };
    this.awaited = from?.kind === "event" ? from : undefined;
    this.follower = from === undefined
      ? node.log.followNew()
      : node.log.follow(from.kind === "after" ? from.time + 1n : from.time);
    const index = this.follower.start(MNODE_GROUP);
    if (index === undefined) throw historyLost();
    this.catalogIndex = index;
  }

  /**
   * Reads on in the log, a piece of about 1 MiB.
   *
   * @throws CommandError ChangeStreamHistoryLost; ChangeStreamFatalError where the event to begin behind is not of this
   *   stream; NoMatchingDocument where an image is required and was not kept
   */
  next(): FeedPiece {
    const piece = this.follower.next();
    if (piece.kind === "gone") throw historyLost();
    const events = piece.entries.flatMap((record) => this.eventsOf(record));
    const last = piece.entries.at(-1)?.clusterTime;
    if (last !== undefined) this.position = positionBehind(last, events.at(-1));
    if (piece.isAtEnd) this.moveTo(this.node.readableTime());
    return { events, isAtEnd: piece.isAtEnd, position: this.position };
  }

  /** Calls `listener` when there may be more; returns what takes that back. */
  onAppended(listener: () => void): () => void {
    return this.node.log.onAppended(listener);
  }

  /** All up to that time was read. */
  private moveTo(time: bigint): void {
    if (time > this.position.time) this.position = { kind: "after", time };
  }

  private eventsOf(record: LogRecord): readonly ChangeEvent[] {
    if (record.group === MNODE_GROUP) this.catalogIndex = record.index;
    const { awaited } = this;
    if (awaited === undefined) return this.allEventsOf(record);
    const events = this.allEventsOf(record);
    const data = tokenData({ ...awaited, fragment: undefined });
    if (record.clusterTime > awaited.time) throw tokenNotFound(events[0] ?? undefined, awaited);
    if (!events.some(({ position }) => tokenData(position) === data)) throw tokenNotFound(events[0], awaited);
    this.awaited = undefined;
    // Of an event that was split, more may be to come.
    return events.filter(({ position }) =>
      isBefore(awaited, position) || (awaited.fragment !== undefined && tokenData(position) === data)
    );
  }

  private allEventsOf(record: LogRecord): readonly ChangeEvent[] {
    const { scope, showExpandedEvents, showRawUpdateDescription } = this.options;
    if (record.group === MNODE_GROUP) {
      const { collectionAt, endedBy } = this.node;
      return catalogEvents(record, { scope, isExpanded: showExpandedEvents, collectionAt, endedBy });
    }
    return documentEvents(record, {
      images: this.options,
      isExpanded: showExpandedEvents,
      showsRaw: showRawUpdateDescription,
      lookUp: this.node.lookUp,
      collection: (id) => {
        const info = this.node.collectionAt(id, this.catalogIndex);
        return info !== undefined && covers(scope, info) ? info : undefined;
      },
    });
  }
}

function positionBehind(time: bigint, last: ChangeEvent | undefined): Position {
  return last !== undefined && last.position.time === time ? last.position : { kind: "after", time };
}

function historyLost(): CommandError {
  return new CommandError(
    "ChangeStreamHistoryLost",
    "Resume of change stream was not possible, as the resume point may no longer be in the oplog.",
    { errorLabels: ["NonResumableChangeStreamError"] },
  );
}

function tokenNotFound(found: ChangeEvent | undefined, awaited: Position): CommandError {
  const token = tokenData(found?.position ?? awaited);
  return new CommandError(
    "ChangeStreamFatalError",
    `cannot resume stream; the resume token was not found. {_data: "${token}"}`,
    { errorLabels: ["NonResumableChangeStreamError"] },
  );
}
