/** The answer to a command that failed, and the form of an error inside an answer. */
import type { CommandError } from "../base/mod.ts";
import type { ClusterTime } from "../cluster/mod.ts";
import { writeTime } from "./cluster_time.ts";
import {
  BsonType,
  type BsonWriter,
  BuiltDocument,
  Document,
  Int32,
  isArray,
  type Value,
} from "../bson/mod.ts";

const NOTHING = { times: undefined, topologyVersion: undefined };

/** What an error's answer tells beside the error. */
export interface ErrorSurroundings {
  /** For who asks for cluster time. */
  readonly times: ClusterTime | undefined;
  /** For errors that tell it. */
  readonly topologyVersion: Document | undefined;
}

/** Appends {ok: 0, errmsg, code, codeName, errorLabels?, …}. */
export function writeError(
  reply: BsonWriter,
  error: CommandError,
  { times, topologyVersion }: ErrorSurroundings = NOTHING,
): void {
  const document = reply.beginDocument();
  if (error.errorLabels.length > 0) reply.value("errorLabels", error.errorLabels);
  if (topologyVersion !== undefined) reply.value("topologyVersion", topologyVersion);
  reply.value("ok", 0);
  reply.value("errmsg", error.message);
  reply.value("code", Int32.of(error.code));
  reply.value("codeName", error.codeName);
  writeExtra(reply, error);
  if (times !== undefined) writeTime(reply, times);
  reply.endDocument(document);
}

/** Appends `writeErrors`, which is not there when nothing went wrong. */
export function writeWriteErrors(reply: BsonWriter, errors: readonly PlacedError[]): void {
  if (errors.length === 0) return;
  reply.header(BsonType.Array, "writeErrors");
  const array = reply.beginDocument();
  errors.forEach(({ index, error }, i) => {
    reply.header(BsonType.Object, String(i));
    writeWriteError(reply, index, error);
  });
  reply.endDocument(array);
}

/** What went wrong, by the place of its document or statement in the request. */
export interface PlacedError {
  readonly index: number;
  readonly error: CommandError;
}

function writeWriteError(reply: BsonWriter, index: number, error: CommandError): void {
  const document = reply.beginDocument();
  reply.value("index", Int32.of(index));
  reply.value("code", Int32.of(error.code));
  reply.value("errmsg", error.message);
  writeExtra(reply, error);
  reply.endDocument(document);
}

/** OP_QUERY's answer to what is not a command: {$err, code, ok: 0}. */
export function writeLegacyError(reply: BsonWriter, error: CommandError): void {
  const document = reply.beginDocument();
  reply.value("$err", error.message);
  reply.value("code", Int32.of(error.code));
  reply.value("ok", 0);
  reply.endDocument(document);
}

function writeExtra(reply: BsonWriter, error: CommandError): void {
  for (const [name, value] of Object.entries(extraFields(error))) reply.value(name, value);
}

/** The further fields of an error, such as `keyPattern`. */
export function extraFields(error: CommandError): Readonly<Record<string, Value>> {
  const entries = Object.entries(error.extra).map(([name, value]) => [name, plainToValue(value)] as const);
  return Object.fromEntries(entries);
}

/** Whole numbers become int32 where they fit; plain objects become documents. */
function plainToValue(value: unknown): Value {
  if (typeof value === "number") {
    return Number.isInteger(value) && Math.abs(value) < 2 ** 31 ? Int32.of(value) : value;
  }
  if (typeof value !== "object" || value === null) return value as Value;
  if (value instanceof Document) return value;
  if (isArray(value as Value)) return (value as readonly unknown[]).map(plainToValue);
  if (Object.getPrototypeOf(value) !== Object.prototype) return value as Value;
  const entries = Object.entries(value).map(([name, field]) => [name, plainToValue(field)] as const);
  return BuiltDocument.of(Object.fromEntries(entries));
}
