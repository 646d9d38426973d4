/** `expireAfterSeconds` of an index: how long a document lives after the date that it has there. */
import { CommandError } from "../base/mod.ts";
import { aliasOfType, Decimal128, type Document, Int32, isNumber, typeOf, type Value } from "../bson/mod.ts";
import { shownDocument } from "../cluster/mod.ts";
import { numberOf } from "./arguments.ts";

const MAX_SECONDS = 2 ** 31 - 1;
export const SINGLE_FIELD = "TTL indexes are single-field indexes, compound indexes do not support TTL";
export const NOT_NEGATIVE = "TTL index 'expireAfterSeconds' option cannot be less than 0";

/** The seconds of a new index, whole; undefined where it expires nothing. @throws CommandError CannotCreateIndex */
export function indexTtl(spec: Document, key: Document): Int32 | undefined {
  const value = spec.get("expireAfterSeconds");
  if (value === undefined) return undefined;
  const wrong = wrongTtl(value) ?? (key.names().length > 1 ? SINGLE_FIELD : undefined);
  if (wrong === undefined) return Int32.of(wholeSeconds(value));
  throw new CommandError("CannotCreateIndex", `${wrong}. Index spec: ${shownDocument(spec)}`);
}

function wrongTtl(value: Value): string | undefined {
  if (!isNumber(value)) {
    const found = aliasOfType(typeOf(value));
    return `TTL index 'expireAfterSeconds' option must be numeric, but received a type of '${found}'`;
  }
  const seconds = wholeSeconds(value);
  if (seconds < 0) return NOT_NEGATIVE;
  if (seconds <= MAX_SECONDS) return undefined;
  return "TTL index 'expireAfterSeconds' option must be within an acceptable range, try a lower number";
}

/** As MongoDB makes them whole: a double is cut, a decimal rounded, and what is no number lasts. */
function wholeSeconds(value: Value): number {
  const seconds = numberOf(value);
  if (Number.isNaN(seconds)) return MAX_SECONDS;
  return value instanceof Decimal128 ? Math.round(seconds) : Math.trunc(seconds);
}

/** The seconds that `collMod` gives an index. @throws CommandError InvalidOptions */
export function changedTtl(value: Value): Int32 {
  const seconds = Math.trunc(numberOf(value));
  if (seconds < 0) throw new CommandError("InvalidOptions", NOT_NEGATIVE);
  return Int32.of(Number.isNaN(seconds) ? 0 : Math.min(seconds, MAX_SECONDS));
}
