/**
 * Replies in the form in which they are compared: canonical Extended JSON, without what has to differ from run to run or
 * from server to server. Nothing else is smoothed: types, the order of fields, error codes and texts stay.
 *
 * - Fields of the moment (times, connection ids, topology) and of a cluster are left out.
 * - The order of an envelope's fields does not count, nor whether `ok` is an int32 or a double (MongoDB has both).
 * - The times and resume tokens of change streams' events are named only.
 * - A cursor id is "open" or 0, and named wherever else it stands; a UUID and an ObjectId that the case does not contain are "generated".
 * - Where MongoDB promises no order of documents (a time-series collection without $sort, the groups of $group; its own
 *   distinct values), they are sorted by their text.
 * - Of a plan remains what normalize_plan.ts says.
 * - MongoDB returns the top-level fields of a time-series document in an order that changes from run to run, ChronoGo as
 *   they were inserted: it does not count.
 */
import { Binary, type Document, EJSON, Long, ObjectId, Timestamp } from "bson";
import type { CaseFile } from "./case_file.ts";
import { normalizePlan } from "./normalize_plan.ts";
import { isPlainObject } from "./yaml_bson.ts";

/** Normalised replies: plain JSON values. */
export type Replies = readonly Json[];
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What says when, where or in which cluster a reply was made. */
const FIELDS_OF_THE_MOMENT: ReadonlySet<string> = new Set([
  "$clusterTime",
  "operationTime",
  "topologyVersion",
  "localTime",
  "localUpdateWallClockTime",
  "connectionId",
  "electionId",
  "opTime",
  "lastCommittedOpTime",
  "commitQuorum",
  "recoveryToken",
  "millis",
]);

const UNORDERED_STAGES: ReadonlySet<string> = new Set(["$group", "$sortByCount", "$bucket", "$bucketAuto"]);
const ORDERED_STAGES: ReadonlySet<string> = new Set(["$sort", "$timeWindow", "$bucket", "$bucketAuto"]);
/** After these a document is no longer laid out as the collection gives it. */
const RESHAPING_STAGES: ReadonlySet<string> = new Set([
  "$group",
  "$sortByCount",
  "$bucket",
  "$bucketAuto",
  "$count",
  "$replaceRoot",
  "$replaceWith",
  "$timeWindow",
]);

/** What says when an event of a change stream was. */
const TIMES_OF_EVENTS: ReadonlySet<string> = new Set(["clusterTime", "wallTime"]);
/** Resume tokens of change streams, also in messages. */
const RESUME_TOKEN = /\b82[0-9A-F]{16,}\b/g;
/** As messages name cluster times. */
const TIMESTAMP_TEXT = /Timestamp\(\d{9,}, \d+\)/g;

/** As errors name collections and builds of indexes. */
const UUID_TEXT = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g;

/** What tells the values of a case from those that a server made up. */
interface Known {
  /** All that the case contains, in canonical Extended JSON. */
  readonly text: string;
  /** The ids of the cursors that it opened. */
  readonly cursorIds: readonly string[];
}

/** Normalises the replies to `commands`. */
export function normalize(
  replies: readonly Document[],
  commands: readonly Document[],
  file: CaseFile,
): Replies {
  const known = {
    text: JSON.stringify(EJSON.serialize([file.collections, commands], { relaxed: false })),
    cursorIds: replies.map((reply) => String(reply["cursor"]?.["id"] ?? 0)).filter((id) => id !== "0"),
  };
  let order: BatchOrder = { documents: true, fields: true };
  return replies.map((reply, index) => {
    const command = commands[index] ?? {};
    if (!("getMore" in command)) order = batchOrder(command, file);
    const normal = normalizeReply(reply, order, known);
    return "explain" in command ? normalizePlan(normal) : normal;
  });
}

/** Normalises a reply that a case file states as ChronoGo's own, the way the real one is. */
export function normalizeExpected(expected: Document, command: Document, file: CaseFile): Json {
  const normal = normalizeReply(expected, batchOrder(command, file), { text: "", cursorIds: [] });
  return "explain" in command ? normalizePlan(normal) : normal;
}

/** What about a batch of documents is promised. */
interface BatchOrder {
  readonly documents: boolean;
  readonly fields: boolean;
}

function batchOrder(command: Document, file: CaseFile): BatchOrder {
  const name = Object.values(command)[0];
  const isTimeSeries = file.collections.some((setup) => {
    return setup.name === name && setup.create?.["timeseries"] !== undefined;
  });
  if ("find" in command) return { documents: !isTimeSeries || "sort" in command, fields: !isTimeSeries };
  if ("distinct" in command) return { documents: !isTimeSeries, fields: true };
  const pipeline: unknown = command["pipeline"];
  if (!Array.isArray(pipeline)) return { documents: true, fields: true };
  const stages = pipeline.map((stage) => isPlainObject(stage) ? Object.keys(stage)[0] ?? "" : "");
  const unordered = stages.findLastIndex((stage) => UNORDERED_STAGES.has(stage));
  const ordered = stages.findLastIndex((stage) => ORDERED_STAGES.has(stage));
  return {
    documents: ordered >= unordered && (ordered >= 0 || !isTimeSeries),
    fields: !isTimeSeries || stages.some((stage) => RESHAPING_STAGES.has(stage)),
  };
}

function normalizeReply(reply: Document, order: BatchOrder, known: Known): Json {
  const envelope = Object.entries(reply).filter(([key]) => !FIELDS_OF_THE_MOMENT.has(key));
  const normal = Object.fromEntries(envelope.map(([key, value]) => {
    if (key === "ok") return [key, Number(value)];
    if (key === "atClusterTime") return [key, "<time>"];
    if (key === "cursor") return [key, normalizeCursor(value, order, known)];
    const json = toJson(value, known);
    return [key, key === "values" && !order.documents && Array.isArray(json) ? sortByText(json) : json];
  }));
  return sortKeys(normal);
}

function normalizeCursor(cursor: Document, order: BatchOrder, known: Known): Json {
  return sortKeys(Object.fromEntries(
    Object.entries(cursor).map(([key, value]) => {
      if (key === "id") return [key, Long.ZERO.eq(value) ? 0 : "open"];
      if (key === "atClusterTime") return [key, "<time>"];
      if (key !== "firstBatch" && key !== "nextBatch") return [key, toJson(value, known)];
      const documents: Json[] = value.map((item: Document) => {
        const document = toJson(item, known);
        return order.fields || !isObject(document) ? document : sortKeys(document);
      });
      return [key, order.documents ? documents : sortByText(documents)];
    }),
  ));
}

function toJson(value: unknown, known: Known): Json {
  const json = EJSON.serialize({ value: hideGenerated(value, known) }, { relaxed: false });
  return JSON.parse(JSON.stringify(json)).value;
}

function hideGenerated(value: unknown, known: Known): unknown {
  if (value instanceof ObjectId) {
    return known.text.includes(value.toHexString()) ? value : "<generated ObjectId>";
  }
  if (value instanceof Binary && value.sub_type === Binary.SUBTYPE_UUID) {
    return known.text.includes(value.toString("base64")) ? value : "<generated UUID>";
  }
  if (value instanceof Long && known.cursorIds.includes(value.toString())) return "<cursor id>";
  if (typeof value === "string") {
    // First, as the digits of a cursor's id may look like a token.
    return known.cursorIds.reduce((text, id) => text.replaceAll(id, "<cursor id>"), value)
      .replaceAll(UUID_TEXT, (uuid) => known.text.includes(uuid) ? uuid : "<generated UUID>")
      .replaceAll(RESUME_TOKEN, (token) => known.text.includes(token) ? token : "<resume token>")
      .replaceAll(TIMESTAMP_TEXT, "<cluster time>");
  }
  if (Array.isArray(value)) return value.map((item) => hideGenerated(item, known));
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      const isTime = TIMES_OF_EVENTS.has(key) && (item instanceof Timestamp || item instanceof Date);
      return [key, isTime ? `<${key}>` : hideGenerated(item, known)];
    }),
  );
}

function sortByText(values: readonly Json[]): Json[] {
  return [...values].sort((a, b) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
}

export function sortKeys(object: { readonly [key: string]: Json }): Json {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0));
}

export function isObject(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
