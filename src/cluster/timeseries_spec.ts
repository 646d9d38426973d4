/** How the catalog holds the options of a time series. */
import { BuiltDocument, type Document, DocumentBuilder, Int32, isNumber, type Value } from "../bson/mod.ts";
import type { TimeseriesOptions } from "./catalog.ts";
import type { TableOptions } from "../storage/mod.ts";
import type { CollectionSpec } from "./router.ts";

export type Granularity = NonNullable<TimeseriesOptions["granularity"]>;

/** The span of a bucket. */
export const SPAN_SECONDS: Readonly<Record<Granularity, number>> = {
  seconds: 3600,
  minutes: 86_400,
  hours: 2_592_000,
};

/** The fields of `timeseries` in the order in which `listCollections` shows them. */
export function timeseriesFields(options: TimeseriesOptions): Record<string, Value> {
  const { timeField, metaField, granularity, bucketMaxSpanSeconds, bucketRoundingSeconds } = options;
  return {
    timeField,
    metaField,
    granularity,
    bucketRoundingSeconds: bucketRoundingSeconds === undefined ? undefined : Int32.of(bucketRoundingSeconds),
    bucketMaxSpanSeconds: Int32.of(bucketMaxSpanSeconds),
  };
}

/** The collection with these options, as the catalog keeps it and `listCollections` shows it. */
export function timeseriesSpecOf(timeseries: TimeseriesOptions, collation: Value): CollectionSpec {
  const { expireAfterSeconds } = timeseries;
  const options = new DocumentBuilder()
    .append("collation", collation)
    .append("expireAfterSeconds", expireAfterSeconds === undefined ? undefined : BigInt(expireAfterSeconds))
    .append("timeseries", BuiltDocument.of(timeseriesFields(timeseries)))
    .build();
  return { timeseries, options };
}

/** Options as a checked `timeseries` document has them, completed as `create` does. */
export function timeseriesOfDocument(document: Document): TimeseriesOptions {
  const metaField = document.get("metaField");
  const granularity = document.get("granularity");
  const span = document.get("bucketMaxSpanSeconds");
  const own = isNumber(span) && granularity === undefined ? Number(span.toString()) : undefined;
  const chosen = (granularity ?? "seconds") as Granularity;
  return {
    timeField: String(document.get("timeField")),
    ...(typeof metaField === "string" ? { metaField } : {}),
    ...(own === undefined
      ? { granularity: chosen, bucketMaxSpanSeconds: SPAN_SECONDS[chosen] }
      : { bucketMaxSpanSeconds: own, bucketRoundingSeconds: own }),
  };
}

/** What the store of measurements is told of a time series. */
export function tableOptions(options: TimeseriesOptions): TableOptions {
  const { timeField, metaField, bucketMaxSpanSeconds } = options;
  return { timeField, metaField, spanSeconds: bucketMaxSpanSeconds };
}
