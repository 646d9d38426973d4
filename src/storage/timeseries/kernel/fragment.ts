/**
 * What a fragment of a query asks of a table: rows that pass conditions, in groups, folded into one partial result per
 * group and output. The twin of `FragmentRequest` in query/source.ts, which says what each field means.
 */
import type { Document, Value } from "../../../bson/mod.ts";
import type { MetaColumn, MetaPath } from "../meta_column.ts";
import type { Direction } from "../run.ts";
import type { TimeseriesScan } from "../scan_request.ts";
import type { Condition } from "./condition.ts";

export interface TimeseriesFragment extends
  Pick<
    TimeseriesScan,
    | "timeRange"
    | "seriesFilter"
    | "seriesLookup"
    | "seriesTests"
    | "seriesEnds"
    | "ids"
    | "checkpoint"
    | "counters"
  > {
  readonly paths: readonly (readonly string[])[];
  readonly condition?: Condition;
  readonly matches: (row: Document) => boolean;
  readonly keys: GroupKeys;
  readonly keysReadMeta: boolean;
  readonly timeOrder?: Direction;
  readonly outputs: readonly Output[];
}

/** Times that fall into the same groups: `[fromMs, endMs)`. */
export interface TimeSpan {
  readonly fromMs: number;
  readonly endMs: number;
}

export interface GroupKeys {
  readonly metaPaths?: readonly MetaPath[];
  useColumns?(columns: readonly MetaColumn[]): void;
  classOf(meta: Value, series: number): number;
  spanClassOf(span: number, ms: number): number;
  groupOf(seriesClass: number, span: number, meta: Value, ms: number): number;
  spanOf(ms: number): TimeSpan;
  readonly measured?: MeasuredKeys;
}

export interface MeasuredKeys {
  readonly paths: readonly number[];
  groupOf(meta: Value, ms: number, values: readonly Value[]): number;
  groupOfRow(row: Document, ms: number): number;
}

export interface Accumulator {
  add(value: Value): void;
  partial(): Value;
  merge(partial: Value): void;
  result(): Value;
}

export type Output =
  | { readonly kind: "count" }
  | FoldedOutput
  | RowOutput
  | (AnyOutput & {
    readonly kind: "series";
    readonly of: (meta: Value) => Value;
    readonly once: boolean;
    readonly end?: "first" | "last";
  });

export interface AnyOutput {
  readonly read: (row: Document) => Value;
  readonly create: (group: number) => Accumulator;
}

export interface FoldedOutput extends AnyOutput {
  readonly kind:
    | "sum"
    | "average"
    | "minimum"
    | "maximum"
    | "first"
    | "last"
    | "deviation"
    | "set"
    | "values";
  readonly path: number;
}

export interface RowOutput extends AnyOutput {
  readonly kind: "row";
  readonly end: "first" | "last";
  readonly keep: (row: Document, instead: Document | undefined) => Document;
}

export interface FragmentResult {
  readonly groups: number;
  readonly dependsOnOrder: boolean;
  partial(output: number, group: number): Value;
  result(output: number, group: number): Value;
}
