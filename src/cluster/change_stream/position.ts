/**
 * Places in a change stream, and the resume tokens that clients keep of them. A token's `_data` is upper-case hexadecimal whose
 * order as text is that of the places:
 *
 *     82 | clusterTime, 8 bytes | 00                            before all events of that time
 *     82 | clusterTime, 8 bytes | 01 | event, 4 bytes | 00      after an event: its number within its entry of the log
 *     … | event, 4 bytes | 00 | fragment, 4 bytes               after a fragment of a large event, counted from 0
 *     82 | clusterTime, 8 bytes | 01 | event, 4 bytes | 01      after the invalidate event that it caused
 *     82 | clusterTime, 8 bytes | FF                            after all events of that time
 *
 * All entries of the log have times of their own, which no other node gives, so a token is good on every node and after
 * a restart.
 */
import { CommandError, type ErrorCodeLike } from "../../base/mod.ts";
import { BuiltDocument } from "../../bson/mod.ts";

export type Position =
  | { readonly kind: "before" | "after"; readonly time: bigint }
  | {
    readonly kind: "event";
    readonly time: bigint;
    /** Counts the events of the entry, from 0. */
    readonly number: number;
    readonly isInvalidate: boolean;
    /** Counts the fragments of the event, from 0; undefined behind the whole of it. */
    readonly fragment?: number | undefined;
  };

const MARK = "82";
const TOKEN = /^82([0-9A-F]{16})(?:(00)|(FF)|01([0-9A-F]{8})0([01])([0-9A-F]{8})?)$/;

/** A resume token: {_data}. */
export function tokenOf(position: Position): BuiltDocument {
  return BuiltDocument.of({ _data: tokenData(position) });
}

/** The token's text. */
export function tokenData(position: Position): string {
  const time = MARK + hex(position.time, 16);
  switch (position.kind) {
    case "before":
      return `${time}00`;
    case "after":
      return `${time}FF`;
    case "event":
      return withFragment(eventData(`${time}01`, position.number, position.isInvalidate), position.fragment);
  }
}

/** What the texts of all tokens of events of a time begin with: for `eventToken`. */
export function eventTokenPrefix(time: bigint): string {
  return `${MARK}${hex(time, 16)}01`;
}

/** The token of an event. */
export function eventToken(prefix: string, number: number, isInvalidate: boolean): BuiltDocument {
  return new BuiltDocument(TOKEN_FIELDS, [eventData(prefix, number, isInvalidate)]);
}

/** The token of a fragment of an event. @param data the text of the event's own */
export function fragmentToken(data: string, fragment: number): BuiltDocument {
  return new BuiltDocument(TOKEN_FIELDS, [withFragment(data, fragment)]);
}

const TOKEN_FIELDS = ["_data"];

function withFragment(data: string, fragment: number | undefined): string {
  return fragment === undefined ? data : data + fragment.toString(16).toUpperCase().padStart(8, "0");
}

function eventData(prefix: string, number: number, isInvalidate: boolean): string {
  return `${prefix}${number.toString(16).toUpperCase().padStart(8, "0")}${isInvalidate ? "01" : "00"}`;
}

function hex(value: bigint, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, "0");
}

/** @throws CommandError when the text is no token */
export function parseToken(data: string): Position {
  if (data === "") throw fail(40649, "invalid empty resume token");
  if (!/^(?:[0-9A-Fa-f]{2})+$/.test(data)) {
    throw fail("FailedToParse", "resume token string was not a valid hex string");
  }
  const first = data.slice(0, 2);
  if (first !== MARK) throw fail(50811, `KeyString format error: Unknown type: ${parseInt(first, 16)}`);
  const [, time, before, after, number, invalidate, fragment] = TOKEN.exec(data.toUpperCase()) ?? [];
  if (time === undefined) {
    throw fail("InvalidResumeToken", "the resume token is not one of ChronoGo's");
  }
  const at = BigInt(`0x${time}`);
  if (before !== undefined) return { kind: "before", time: at };
  if (after !== undefined) return { kind: "after", time: at };
  return {
    kind: "event",
    time: at,
    number: parseInt(number!, 16),
    isInvalidate: invalidate === "1",
    fragment: fragment === undefined ? undefined : parseInt(fragment, 16),
  };
}

/** Whether `a` comes before `b`. */
export function isBefore(a: Position, b: Position): boolean {
  return tokenData(a) < tokenData(b);
}

function fail(code: ErrorCodeLike, message: string): CommandError {
  return new CommandError(code, message);
}
