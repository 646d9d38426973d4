/**
 * A filter, parsed: readonly plain objects with a `kind`.
 *
 * Nodes with a `path` ask whether some value at that path fits; `path.ts` says which values those are. `$ne`, `$nin`
 * and `$exists: false` are the negation of their positive form, so a document without the field passes them.
 */
import type { Collation, Value } from "../../bson/mod.ts";
import type { Expression } from "../expression/expression.ts";
import type { NearRange } from "../geo/near.ts";
import type { GeoShape } from "../geo/shape.ts";
import type { Schema } from "./schema.ts";

/** A dotted path taken apart; empty for the value itself, inside `$elemMatch` over values. */
export type Path = readonly string[];

export type ComparisonOperator = "$eq" | "$lt" | "$lte" | "$gt" | "$gte";

export interface ComparisonFilter {
  readonly kind: "comparison";
  readonly path: Path;
  readonly operator: ComparisonOperator;
  readonly value: Value;
  /** How texts compare; undefined for by their bytes. */
  readonly collation?: Collation;
}

export interface InFilter {
  readonly kind: "in";
  readonly path: Path;
  readonly values: readonly Value[];
  readonly patterns: readonly RegExpSpec[];
  /** Which texts are equal; undefined for those of the same bytes. */
  readonly collation?: Collation;
}

/** A regular expression as written, in PCRE's syntax; it is known to translate. */
export interface RegExpSpec {
  readonly pattern: string;
  readonly options: string;
}

export interface RegexFilter extends RegExpSpec {
  readonly kind: "regex";
  readonly path: Path;
}

export interface ExistsFilter {
  readonly kind: "exists";
  readonly path: Path;
}

export interface TypeFilter {
  readonly kind: "type";
  readonly path: Path;
  /** BSON type numbers. */
  readonly types: ReadonlySet<number>;
}

export interface ModFilter {
  readonly kind: "mod";
  readonly path: Path;
  readonly divisor: bigint;
  readonly remainder: bigint;
}

export type BitsOperator = "$bitsAllSet" | "$bitsAllClear" | "$bitsAnySet" | "$bitsAnyClear";

export interface BitsFilter {
  readonly kind: "bits";
  readonly path: Path;
  readonly operator: BitsOperator;
  /** Places of the bits, the lowest is 0. */
  readonly positions: readonly number[];
}

export interface SizeFilter {
  readonly kind: "size";
  readonly path: Path;
  readonly size: number;
}

/** Some element is a document (or an array, read as one) that passes the filter. */
export interface ElemMatchObjectFilter {
  readonly kind: "elemMatchObject";
  readonly path: Path;
  readonly filter: Filter;
}

/** Some element passes all filters, whose paths are empty. */
export interface ElemMatchValueFilter {
  readonly kind: "elemMatchValue";
  readonly path: Path;
  readonly filters: readonly Filter[];
}

/** Some value at the path is a place that lies within a shape, or has a point in common with it. */
export interface GeoFilter {
  readonly kind: "geo";
  readonly path: Path;
  readonly operator: "$geoWithin" | "$geoIntersects";
  readonly shape: GeoShape;
  /** As written, for `explain`. */
  readonly source: Value;
}

/** Some value at the path is a place within a range of distance. */
export interface NearFilter {
  readonly kind: "near";
  readonly path: Path;
  /** `$near` or `$nearSphere`. */
  readonly operator: string;
  readonly near: NearRange;
  /** As written, for `explain`. */
  readonly source: Value;
}

export interface LogicalFilter {
  readonly kind: "and" | "or" | "nor";
  readonly filters: readonly Filter[];
}

export interface NotFilter {
  readonly kind: "not";
  readonly filter: Filter;
}

export interface ConstantFilter {
  readonly kind: "constant";
  readonly value: boolean;
}

export interface ExprFilter {
  readonly kind: "expr";
  readonly expression: Expression;
  /** As written, for `explain`. */
  readonly source: Value;
}

export interface JsonSchemaFilter {
  readonly kind: "jsonSchema";
  readonly schema: Schema;
  /** As written, for `explain`. */
  readonly source: Value;
}

/** Passes documents by chance, with a probability in [0, 1]. */
export interface SampleRateFilter {
  readonly kind: "sampleRate";
  readonly rate: number;
}

/** Filters over the values at a path. */
export type PathFilter =
  | ComparisonFilter
  | InFilter
  | RegexFilter
  | ExistsFilter
  | TypeFilter
  | ModFilter
  | BitsFilter
  | SizeFilter
  | ElemMatchObjectFilter
  | ElemMatchValueFilter
  | GeoFilter
  | NearFilter;

export type Filter =
  | PathFilter
  | LogicalFilter
  | NotFilter
  | ConstantFilter
  | ExprFilter
  | JsonSchemaFilter
  | SampleRateFilter;

/** Passes every document. */
export const MATCH_ALL: Filter = { kind: "constant", value: true };

/** All of `filters`, without needless nesting. */
export function allOf(filters: readonly Filter[]): Filter {
  if (filters.length === 0) return MATCH_ALL;
  return filters.length === 1 ? filters[0]! : { kind: "and", filters };
}

/** The filters that must all pass, taken out of nested `$and`s. */
export function conjunctsOf(filter: Filter): readonly Filter[] {
  if (filter.kind === "constant" && filter.value) return [];
  return filter.kind === "and" ? filter.filters.flatMap(conjunctsOf) : [filter];
}
