/**
 * Strings. Text is UTF-16 here and UTF-8 in MongoDB: operators of bytes count UTF-8, those of code points (`CP`) count
 * whole characters; for plain ASCII both are what JavaScript has.
 */
import { CommandError, MAX_DOCUMENT_BYTES } from "../../base/mod.ts";
import {
  BSONSymbol,
  Code,
  compareText,
  Decimal128,
  Int32,
  isNullish,
  isNumber,
  Timestamp,
  UtcDate,
  type Value,
} from "../../bson/mod.ts";
import { indexArgument } from "./array.ts";
import { isoDateText } from "./date_format.ts";
import type { Evaluator } from "./expression.ts";
import { renderValue, typeName } from "./message.ts";
import { asInt32, coerceToLong } from "./number.ts";
import { formatDouble } from "./number_text.ts";
import { type NamedArguments, parseNamed } from "./named_arguments.ts";
import { binary, type OperatorDefinition, unary, variadic } from "./operator.ts";

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 127) return false;
  }
  return true;
}

/** Code points of a text. */
export function codePointCount(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length; i++) {
    // Two units of a pair are one code point.
    if ((text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) count--;
  }
  return count;
}

/** Bytes of a text in UTF-8. */
export function utf8Length(text: string): number {
  return isAscii(text) ? text.length : ENCODER.encode(text).length;
}

/** A value as text where an operator takes more than strings: null is empty. @throws CommandError 16007 */
export function coerceToText(value: Value): string {
  if (typeof value === "string") return value;
  if (isNullish(value)) return "";
  if (typeof value === "number") return formatDouble(value);
  if (typeof value === "bigint") return String(value);
  if (value instanceof Int32) return String(value.value);
  if (value instanceof Decimal128) return value.toString();
  if (value instanceof UtcDate) return isoDateText(value.ms);
  if (value instanceof BSONSymbol) return value.value;
  if (value instanceof Code && !value.scope) return value.code;
  if (value instanceof Timestamp) return timestampText(value);
  throw new CommandError(16007, `can't convert from BSON type ${typeName(value)} to String`);
}

/** `Feb  3 11:30:05:7`, as a server in UTC writes it: no year, and the increment behind the time. */
function timestampText(value: Timestamp): string {
  const [, day, month, , time] = new Date(value.getHighBitsUnsigned() * 1000).toUTCString().split(" ");
  return `${month} ${String(Number(day)).padStart(2)} ${time}:${value.getLowBitsUnsigned()}`;
}

/** Bytes of a text that is made, as UTF-8: with the zero behind it what a document may have. */
const MAX_TEXT_BYTES = MAX_DOCUMENT_BYTES - 1;
/** What a UTF-16 unit takes in UTF-8 at most. */
const BYTES_OF_UNIT = 3;

/** @throws CommandError 16493 for a text longer than a document may be */
function checkTextSize(text: string): string {
  if (text.length * BYTES_OF_UNIT <= MAX_TEXT_BYTES) return text;
  if (text.length <= MAX_TEXT_BYTES && utf8Length(text) <= MAX_TEXT_BYTES) return text;
  throw textTooLarge();
}

function textTooLarge(): CommandError {
  return new CommandError(16493, "Tried to create string longer than 16MB");
}

/** Stops at the first null: what stands behind it is neither read nor checked. */
const CONCAT: OperatorDefinition = {
  name: "$concat",
  associative: "ordered",
  arity: [0, Infinity],
  compile: ({ args }) => (scope) => {
    let text = "";
    for (const arg of args) {
      const value = arg(scope);
      if (typeof value === "string") text = checkTextSize(text + value);
      else if (isNullish(value)) return null;
      else throw new CommandError(16702, `$concat only supports strings, not ${typeName(value)}`);
    }
    return text;
  },
};

/** Changes the case of ASCII letters only, as MongoDB does. */
const upper = (text: string) => text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
const lower = (text: string) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

const STRCASECMP = binary("$strcasecmp", (a, b) => {
  return Int32.of(Math.sign(compareText(upper(coerceToText(a)), upper(coerceToText(b)))));
});

const SUBSTR_CP = variadic("$substrCP", [3, 3], ([value, start, count]) => {
  const text = coerceToText(value);
  const from = substrNumber(start, 34450, 34451, "starting index");
  const length = substrNumber(count, 34452, 34453, "length");
  if (length < 0) throw new CommandError(34454, "$substrCP: length must be a nonnegative integer.");
  if (from < 0) throw new CommandError(34455, "$substrCP: the starting index must be nonnegative integer.");
  if (isAscii(text)) return text.slice(from, from + length);
  return [...text].slice(from, from + length).join("");
});

function substrNumber(value: Value, noNumber: number, noInt: number, what: string): number {
  if (!isNumber(value)) {
    throw new CommandError(
      noNumber,
      `$substrCP: ${what} must be a numeric type (is BSON type ${typeName(value)})`,
    );
  }
  const number = asInt32(value);
  if (number !== undefined) return number;
  throw new CommandError(
    noInt,
    `$substrCP: ${what} cannot be represented as a 32-bit integral value: ${renderValue(value)}`,
  );
}

/** `$substr` is the old name and takes its errors from `$substrBytes`. */
function substrBytes(name: string): OperatorDefinition {
  return variadic(name, [3, 3], ([value, start, count]) => {
    const text = coerceToText(value);
    const from = byteNumber(start, 16034, "starting index");
    const length = byteNumber(count, 16035, "length");
    if (from < 0) {
      throw new CommandError(50752, `$substrBytes:  starting index must be non-negative (got: ${from})`);
    }
    if (isAscii(text)) return text.slice(from, length < 0 ? undefined : from + length);
    return sliceBytes(ENCODER.encode(text), from, length);
  });
}

function byteNumber(value: Value, code: number, what: string): number {
  if (isNumber(value)) return Number(coerceToLong(value));
  throw new CommandError(
    code,
    `$substrBytes:  ${what} must be a numeric type (is BSON type ${typeName(value)})`,
  );
}

function sliceBytes(bytes: Uint8Array, from: number, length: number): string {
  const end = length < 0 ? bytes.length : Math.min(from + length, bytes.length);
  if (isContinuation(bytes[from])) {
    throw new CommandError(
      28656,
      "$substrBytes:  Invalid range, starting index is a UTF-8 continuation byte.",
    );
  }
  if (isContinuation(bytes[end]) && from < bytes.length) {
    throw new CommandError(
      28657,
      "$substrBytes:  Invalid range, ending index is in the middle of a UTF-8 character.",
    );
  }
  return from >= bytes.length ? "" : DECODER.decode(bytes.subarray(from, end));
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

function textLength(name: string, code: number, length: (text: string) => number): OperatorDefinition {
  return unary(name, (value) => {
    if (typeof value === "string") return Int32.of(length(value));
    throw new CommandError(code, `${name} requires a string argument, found: ${typeName(value)}`);
  });
}

const SPLIT = binary("$split", (text, separator) => {
  if (isNullish(text) || isNullish(separator)) return null;
  if (typeof text !== "string") throw splitError(40085, "first", text);
  if (typeof separator !== "string") throw splitError(40086, "second", separator);
  if (separator === "") throw new CommandError(40087, "$split requires a non-empty separator");
  return text.split(separator);
});

function splitError(code: number, place: string, value: Value): CommandError {
  return new CommandError(
    code,
    `$split requires an expression that evaluates to a string as a ${place} argument, found: ${
      typeName(value)
    }`,
  );
}

const WHITESPACE =
  "\0\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a";

function trim(name: string, left: boolean, right: boolean): OperatorDefinition {
  const spec: NamedArguments = {
    operator: name,
    names: { input: new CommandError(50695, `${name} requires an 'input' field`), chars: "optional" },
    notAnObject: (value) =>
      new CommandError(50696, `${name} only supports an object as an argument, found ${typeName(value)}`),
    unknown: (field) => new CommandError(50694, `${name} found an unknown argument: ${field}`),
  };
  return {
    name,
    parse: (value, context, parse) => parseNamed(spec, value, context, parse),
    compile: ({ named }) => {
      const input = named["input"]!;
      const chars = named["chars"];
      return (scope) => {
        const text = input(scope);
        if (isNullish(text)) return null;
        if (typeof text !== "string") throw trimError(name, 50699, "its input", text);
        if (chars === undefined) return trimText(text, WHITESPACE, left, right);
        const set = chars(scope);
        if (isNullish(set)) return null;
        if (typeof set !== "string") throw trimError(name, 50700, "'chars'", set);
        return trimText(text, set, left, right);
      };
    },
  };
}

function trimError(name: string, code: number, what: string, value: Value): CommandError {
  return new CommandError(
    code,
    `${name} requires ${what} to be a string, got ${renderValue(value)} (of type ${
      typeName(value)
    }) instead.`,
  );
}

function trimText(text: string, chars: string, left: boolean, right: boolean): string {
  const units = [...text];
  const set = new Set(chars);
  let from = 0;
  let to = units.length;
  if (left) { while (from < to && set.has(units[from]!)) from++; }
  if (right) { while (to > from && set.has(units[to - 1]!)) to--; }
  return units.slice(from, to).join("");
}

interface IndexOf {
  readonly name: string;
  readonly firstCode: number;
  readonly secondCode: number;
  /** Index of `wanted` at or after `from`, wholly before `to`; −1 where there is none. */
  readonly find: (text: string, wanted: string, from: number, to: number) => number;
}

function indexOf({ name, firstCode, secondCode, find }: IndexOf): OperatorDefinition {
  return {
    name,
    arity: [2, 4],
    compile: ({ args }) => {
      const [input, token, from, to] = args as [Evaluator, Evaluator, Evaluator?, Evaluator?];
      return (scope) => {
        const text = input(scope);
        if (isNullish(text)) return null;
        if (typeof text !== "string") throw indexOfError(name, firstCode, "first", text);
        const wanted = token(scope);
        if (typeof wanted !== "string") throw indexOfError(name, secondCode, "second", wanted);
        const start = from === undefined ? 0 : indexArgument(name, "starting", from(scope));
        const end = to === undefined ? Infinity : indexArgument(name, "ending", to(scope));
        return Int32.of(find(text, wanted, start, end));
      };
    },
  };
}

function indexOfError(name: string, code: number, place: string, value: Value): CommandError {
  return new CommandError(
    code,
    `${name} requires a string as the ${place} argument, found: ${typeName(value)}`,
  );
}

function indexOfBytes(text: string, wanted: string, from: number, to: number): number {
  if (isAscii(text)) return indexWithin(text, wanted, from, to);
  // Bytes as a text of one unit each.
  const asUnits = (value: string) => String.fromCharCode(...ENCODER.encode(value));
  return indexWithin(asUnits(text), asUnits(wanted), from, to);
}

function indexOfCodePoints(text: string, wanted: string, from: number, to: number): number {
  if (isAscii(text)) return indexWithin(text, wanted, from, to);
  const units = [...text];
  const tokens = [...wanted];
  const last = Math.min(to, units.length) - tokens.length;
  for (let i = from; i <= last; i++) {
    if (tokens.every((token, j) => token === units[i + j])) return i;
  }
  return -1;
}

function indexWithin(text: string, wanted: string, from: number, to: number): number {
  const end = Math.min(to, text.length);
  if (from > end) return -1;
  const index = text.indexOf(wanted, from);
  return index < 0 || index + wanted.length > end ? -1 : index;
}

function replace(
  name: string,
  apply: (text: string, find: string, replacement: string) => string,
): OperatorDefinition {
  const spec: NamedArguments = {
    operator: name,
    names: {
      input: new CommandError(51749, `${name} requires 'input' to be specified`),
      find: new CommandError(51748, `${name} requires 'find' to be specified`),
      replacement: new CommandError(51747, `${name} requires 'replacement' to be specified`),
    },
    notAnObject: (value) =>
      new CommandError(51751, `${name} requires an object as an argument, found: ${typeName(value)}`),
    unknown: (field) => new CommandError(51750, `${name} found an unknown argument: ${field}`),
  };
  return {
    name,
    unfolded: "itself",
    parse: (value, context, parse) => parseNamed(spec, value, context, parse),
    compile: ({ named }) => (scope) => {
      // All are evaluated before any is looked at.
      const [input, wanted, instead] = [
        named["input"]!(scope),
        named["find"]!(scope),
        named["replacement"]!(scope),
      ];
      const text = replaceArgument(name, "input", 51746, input);
      const find = replaceArgument(name, "find", 51745, wanted);
      const replacement = replaceArgument(name, "replacement", 51744, instead);
      if (text === null || find === null || replacement === null) return null;
      return checkTextSize(apply(text, find, replacement));
    },
  };
}

function replaceArgument(name: string, argument: string, code: number, value: Value): string | null {
  if (typeof value === "string") return value;
  if (isNullish(value)) return null;
  throw new CommandError(
    code,
    `${name} requires that '${argument}' be a string, found: ${renderValue(value)}`,
  );
}

function replaceAll(text: string, find: string, replacement: string): string {
  const kept = find === "" ? ["", ...text, ""] : text.split(find);
  const added = (kept.length - 1) * (replacement.length - find.length);
  if (text.length + added > MAX_TEXT_BYTES) throw textTooLarge();
  return kept.join(replacement);
}

export const STRING: readonly OperatorDefinition[] = [
  CONCAT,
  indexOf({ name: "$indexOfBytes", firstCode: 40091, secondCode: 40092, find: indexOfBytes }),
  indexOf({ name: "$indexOfCP", firstCode: 40093, secondCode: 40094, find: indexOfCodePoints }),
  trim("$ltrim", true, false),
  replace("$replaceAll", replaceAll),
  replace("$replaceOne", (text, find, replacement) => text.replace(find, () => replacement)),
  trim("$rtrim", false, true),
  SPLIT,
  STRCASECMP,
  textLength("$strLenBytes", 34473, utf8Length),
  textLength("$strLenCP", 34471, codePointCount),
  substrBytes("$substr"),
  substrBytes("$substrBytes"),
  SUBSTR_CP,
  unary("$toLower", (value) => lower(coerceToText(value))),
  unary("$toUpper", (value) => upper(coerceToText(value))),
  trim("$trim", true, true),
];
