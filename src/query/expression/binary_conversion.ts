/**
 * Between texts and binary data, as `$convert` has it since MongoDB 8.0: `format` says how the text writes the bytes. UUIDs (subtype 4)
 * are written as such only, all else in any other way; `auto` is for the way to a text.
 */
import { CommandError } from "../../base/mod.ts";
import { Binary, Document, isNumber, type Value } from "../../bson/mod.ts";
import { renderValue, typeName } from "./message.ts";
import { asDouble } from "./number.ts";

export type BinaryFormat = "auto" | "base64" | "base64url" | "hex" | "utf8" | "uuid";

const FORMATS: ReadonlySet<string> = new Set(["auto", "base64", "base64url", "hex", "utf8", "uuid"]);
const UUID_SUBTYPE = 4;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function failure(message: string): CommandError {
  return new CommandError("ConversionFailure", `${message} in $convert with no onError value`);
}

/** `to` as a document: `{type: …, subtype: …}`. */
export function subtypeOf(to: Value): number {
  const value = to instanceof Document ? to.get("subtype") : undefined;
  if (value === undefined || value === null) return 0;
  if (!isNumber(value)) {
    throw new CommandError(
      4341108,
      `For BinData, $convert's 'subtype' argument must be a number, but is ${typeName(value)}`,
    );
  }
  const number = asDouble(value);
  if (!Number.isInteger(number)) {
    throw new CommandError(4341106, "In $convert, numeric 'subtype' argument is not an integer");
  }
  if (number >= 0 && number <= 8 || number >= 128 && number <= 255) return number;
  throw new CommandError(
    4341107,
    `In $convert, numeric value for 'subtype' does not correspond to a BinData type: ${renderValue(value)}`,
  );
}

/** @param format undefined where none is given */
export function formatOf(format: Value): BinaryFormat | undefined {
  if (format === undefined || format === null) return undefined;
  if (typeof format !== "string") {
    throw new CommandError(
      4341114,
      `$convert requires that 'format' be a string, found: ${typeName(format)} with value ${
        renderValue(format)
      }`,
    );
  }
  if (FORMATS.has(format)) return format as BinaryFormat;
  throw new CommandError(4341125, `Invalid 'format' argument for $convert: ${format}`);
}

/** @throws CommandError ConversionFailure where there is none, as before 8.0 */
function given(format: BinaryFormat | undefined, from: string, to: string): BinaryFormat {
  if (format !== undefined) return format;
  throw failure(`Unsupported conversion from ${from} to ${to}`);
}

/** @throws CommandError ConversionFailure */
export function toBinary(value: Value, subtype: number, format: BinaryFormat | undefined): Binary {
  if (value instanceof Binary) {
    if (value.sub_type === subtype) return value;
    throw failure("Conversions between different binData subtypes are not supported");
  }
  if (typeof value !== "string") {
    throw failure(`Unsupported conversion from ${typeName(value)} to binData`);
  }
  const form = given(format, "string", "binData");
  if (form === "auto" || (form === "uuid") !== (subtype === UUID_SUBTYPE)) {
    throw failure(`The format '${form}' is not for binData of subtype ${subtype}`);
  }
  const bytes = bytesOf(value, form);
  if (bytes === undefined) throw failure(`Input is not a valid ${form} string: ${value}`);
  return new Binary(bytes, subtype);
}

/** The bytes that a text writes; undefined where it is not of that form. */
function bytesOf(text: string, form: Exclude<BinaryFormat, "auto">): Uint8Array | undefined {
  try {
    switch (form) {
      case "base64":
        return Uint8Array.fromBase64(text, { lastChunkHandling: "strict" });
      case "base64url":
        return Uint8Array.fromBase64(text, { alphabet: "base64url" });
      case "hex":
        return Uint8Array.fromHex(text);
      case "utf8":
        return new TextEncoder().encode(text);
      case "uuid":
        return UUID.test(text) ? Uint8Array.fromHex(text.replaceAll("-", "")) : undefined;
    }
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** @throws CommandError ConversionFailure */
export function binaryText(value: Binary, format: BinaryFormat | undefined): string {
  const isUuid = value.sub_type === UUID_SUBTYPE;
  const asked = given(format, "binData", "string");
  const form = asked === "auto" ? isUuid ? "uuid" : "base64" : asked;
  const bytes = value.value();
  switch (form) {
    case "base64":
      return bytes.toBase64();
    case "base64url":
      return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
    case "hex":
      return bytes.toHex().toUpperCase();
    case "utf8":
      return utf8Text(bytes);
    case "uuid":
      if (!isUuid || bytes.length !== 16) throw failure("Only binData of subtype 4 can be written as a UUID");
      return bytes.toHex().replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }
}

function utf8Text(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw failure("BinData does not represent a valid UTF-8 string");
  }
}
