/** `$set`, `$setOnInsert`, `$unset`, `$currentDate`: operations that do not look at what was there. */
import { CommandError } from "../../base/mod.ts";
import { Document, identicalValues, Timestamp, UtcDate, type Value } from "../../bson/mod.ts";
import { typeName } from "../expression/message.ts";
import type { Operation } from "./operation.ts";

const MS_PER_SECOND = 1000;

/** The operation that makes a field hold `value`. */
export function setTo(value: Value): Operation {
  return (old) => identicalValues(old, value) ? old : value;
}

export function parseSet(_path: string, value: Value): Operation {
  return setTo(value);
}

/** `$set` where an upsert inserts, else nothing. */
export function parseSetOnInsert(_path: string, value: Value): Operation {
  return (old, { inserting }) => inserting && !identicalValues(old, value) ? value : old;
}

export function parseUnset(): Operation {
  return UNSET;
}

/** Takes a field away. */
export const UNSET: Operation = () => undefined;

export function parseCurrentDate(_path: string, value: Value): Operation {
  const isDate = currentDateType(value) === "date";
  return (old, { nowMs }) => {
    const now = isDate ? new UtcDate(nowMs) : timestampOf(nowMs);
    return identicalValues(old, now) ? old : now;
  };
}

function currentDateType(value: Value): "date" | "timestamp" {
  if (typeof value === "boolean") return "date";
  if (!(value instanceof Document)) {
    throw new CommandError(
      "BadValue",
      `${typeName(value)} is not valid type for $currentDate. Please use a boolean ('true') or a $type ` +
        "expression ({$type: 'timestamp/date'}).",
    );
  }
  for (const name of value.names()) {
    if (name !== "$type") {
      throw new CommandError("BadValue", `Unrecognized $currentDate option: ${name}`);
    }
  }
  const type = value.get("$type");
  if (type === "date" || type === "timestamp") return type;
  throw new CommandError(
    "BadValue",
    "The '$type' string field is required to be 'date' or 'timestamp': {$currentDate: {field : {$type: 'date'}}}",
  );
}

let lastSecond = 0;
let ordinal = 0;

/** The second of an instant, with an ordinal that tells timestamps within one second apart. */
export function timestampOf(nowMs: number): Timestamp {
  const second = Math.floor(nowMs / MS_PER_SECOND);
  ordinal = second === lastSecond ? ordinal + 1 : 1;
  lastSecond = second;
  return new Timestamp({ t: second, i: ordinal });
}
