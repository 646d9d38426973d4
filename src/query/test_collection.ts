/** Documents written as plain records, and queries over them: for the tests of this room. */
import { BuiltDocument, Document, Int32, isArray, UtcDate, type Value } from "../bson/mod.ts";
import { ArraySource } from "./array_source.ts";
import { NO_COLLECTIONS } from "./collections.ts";
import type { QueryContext } from "./context.ts";
import { execute } from "./execute.ts";
import { parsePipeline } from "./parse.ts";
import { collectRows } from "./rows.ts";
import { newScanCounters } from "./source.ts";

/** Whole numbers stand for int32, `Date` for a date. */
export type Plain = null | boolean | number | string | Date | readonly Plain[] | PlainRecord;
export interface PlainRecord {
  readonly [name: string]: Plain;
}

/** @returns the BSON value that a plain one stands for */
export function valueOf(plain: Plain): Value {
  if (plain === null || typeof plain === "boolean" || typeof plain === "string") return plain;
  if (typeof plain === "number") return Number.isInteger(plain) ? Int32.of(plain) : plain;
  if (plain instanceof Date) return new UtcDate(plain.getTime());
  return Array.isArray(plain) ? plain.map(valueOf) : documentOf(plain as PlainRecord);
}

export function documentOf(record: PlainRecord): Document {
  return new BuiltDocument(Object.keys(record), Object.values(record).map(valueOf));
}

/** The way back; numbers of all types are plain numbers, dates are their text. */
export function plainOf(value: Value): unknown {
  if (value instanceof Document) {
    const values = value.values();
    return Object.fromEntries(value.names().map((name, i) => [name, plainOf(values[i])]));
  }
  if (isArray(value)) return value.map(plainOf);
  if (value instanceof Int32) return value.value;
  if (value instanceof UtcDate) return new Date(value.ms).toISOString();
  return value;
}

/** A context that never interrupts. */
export function testContext(): QueryContext {
  return {
    nowMs: 0,
    variables: new Map(),
    checkpoint: () => Promise.resolve(),
    counters: newScanCounters(),
    collections: NO_COLLECTIONS,
  };
}

/** Measurements under `t` with the meta field `m`. */
export function timeseriesOf(records: readonly PlainRecord[]): ArraySource {
  return new ArraySource(records.map(documentOf), { kind: "timeseries", timeField: "t", metaField: "m" });
}

/** Runs an aggregate and gives its rows as plain records. */
export async function aggregate(source: ArraySource, stages: readonly PlainRecord[]): Promise<unknown[]> {
  const pipeline = parsePipeline(stages.map(documentOf));
  return (await collectRows(execute(pipeline, source, testContext()))).map(plainOf);
}
