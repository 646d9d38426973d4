/**
 * `$changeStreamSplitLargeEvent`: events that are too large for an answer come in fragments. Each has fields of the event,
 * the small ones first, its number, and a token of its own, so that a client may go on behind it; put together they are the
 * event. It is the last stage, so that what the others leave of an event may be small enough as it is.
 */
import { CommandError, MAX_INTERNAL_DOCUMENT_BYTES } from "../base/mod.ts";
import { BuiltDocument, Document, encodeDocument, Int32, type Value } from "../bson/mod.ts";
import { fragmentToken, type Position, tokenData } from "../cluster/mod.ts";

export const SPLIT_LARGE_EVENT = "$changeStreamSplitLargeEvent";
/** Beside an event an answer has a token and more. */
const MAX_EVENT_BYTES = MAX_INTERNAL_DOCUMENT_BYTES - 8 * 1024;
const LENGTH_AND_END_BYTES = 5;

/** Takes the stage off a pipeline. @throws CommandError where it is not the last, or says anything */
export function withoutSplit(
  stages: readonly Value[],
): { readonly stages: readonly Value[]; readonly splits: boolean } {
  const at = stages.findIndex((stage) => stage instanceof Document && stage.names()[0] === SPLIT_LARGE_EVENT);
  if (at < 0) return { stages, splits: false };
  const spec = (stages[at] as Document).get(SPLIT_LARGE_EVENT);
  if (!(spec instanceof Document) || !spec.isEmpty()) {
    throw new CommandError(7182800, `${SPLIT_LARGE_EVENT} spec should be an empty object`);
  }
  if (at < stages.length - 1) {
    throw new CommandError(7182802, `${SPLIT_LARGE_EVENT} must be the last stage in the pipeline`);
  }
  return { stages: stages.slice(0, at), splits: true };
}

/** Splits the events of one stream. */
export class EventSplitter {
  /** The event whose first fragments the client has; undefined once it came. */
  private resumed: { readonly token: string; readonly had: number } | undefined;

  /** @param from where the stream begins. @throws CommandError where that is in an event, and the stream splits none */
  constructor(
    private readonly splits: boolean,
    from: Position | undefined,
    private readonly maxBytes = MAX_EVENT_BYTES,
  ) {
    if (from?.kind !== "event" || from.fragment === undefined) return;
    if (!splits) {
      throw fatal(
        `To resume from a split event, the $changeStream pipeline must include a ${SPLIT_LARGE_EVENT} stage`,
      );
    }
    this.resumed = { token: tokenData({ ...from, fragment: undefined }), had: from.fragment + 1 };
  }

  /** The events as they are to be answered. @throws CommandError ChangeStreamFatalError */
  split(events: readonly Document[]): readonly Document[] {
    return this.splits ? events.flatMap((event) => this.fragmentsOf(event)) : events;
  }

  private fragmentsOf(event: Document): readonly Document[] {
    const bytes = encodeDocument(event).length;
    const had = this.fragmentsHad(event, bytes);
    if (bytes <= this.maxBytes) return [event];
    const fragments = splitEvent(event, this.maxBytes);
    if (had <= fragments.length) return fragments.slice(had);
    throw fatal(
      "Attempted to resume from a split event, but the resumed stream produced a different split. Ensure that the pipeline " +
        "used to resume is the same as the original",
    );
  }

  private fragmentsHad(event: Document, bytes: number): number {
    const { resumed } = this;
    if (resumed === undefined) return 0;
    this.resumed = undefined;
    if (dataOf(event) !== resumed.token) return 0;
    if (bytes > this.maxBytes) return resumed.had;
    throw fatal(
      "Attempted to resume from a split event fragment, but the event in the resumed stream was not large enough to be split",
    );
  }
}

interface SizedField {
  readonly name: string;
  readonly value: Value;
  readonly bytes: number;
}

function splitEvent(event: Document, maxBytes: number): Document[] {
  const parts: SizedField[][] = [];
  let left = 0;
  for (const field of fieldsBySize(event)) {
    if (field.bytes > left) {
      parts.push([]);
      left = maxBytes - headBytes(event);
    }
    if (field.bytes > left) {
      throw new CommandError(
        7182500,
        `Splitting change event failed: fragment size ${
          headBytes(event) + field.bytes
        } is greater than maximum allowed ` +
          `fragment size ${maxBytes}`,
      );
    }
    parts.at(-1)!.push(field);
    left -= field.bytes;
  }
  return parts.map((fields, i) => fragmentOf(event, i, parts.length, fields));
}

/** The small ones first, then by name: so as few fragments as may be, and the same ones each time. */
function fieldsBySize(event: Document): readonly SizedField[] {
  const values = event.values();
  const fields = event.names().map((name, i): SizedField => {
    const bytes = encodeDocument(new BuiltDocument([name], [values[i]])).length - LENGTH_AND_END_BYTES;
    return { name, value: values[i], bytes };
  });
  return fields.filter(({ name }) => name !== "_id")
    .sort((a, b) => a.bytes - b.bytes || (a.name < b.name ? -1 : 1));
}

function fragmentOf(event: Document, place: number, count: number, fields: readonly SizedField[]): Document {
  return new BuiltDocument(
    ["_id", "splitEvent", ...fields.map(({ name }) => name)],
    [
      fragmentToken(dataOf(event), place),
      BuiltDocument.of({ fragment: Int32.of(place + 1), of: Int32.of(count) }),
      ...fields.map(({ value }) => value),
    ],
  );
}

function headBytes(event: Document): number {
  return encodeDocument(fragmentOf(event, 0, 1, [])).length;
}

/** The text of the event's token. */
function dataOf(event: Document): string {
  return String((event.get("_id") as Document).get("_data"));
}

function fatal(message: string): CommandError {
  return new CommandError("ChangeStreamFatalError", message, {
    errorLabels: ["NonResumableChangeStreamError"],
  });
}
