/** What a window function sees of the rows of a partition. */
import type { Value } from "../../bson/mod.ts";
import type { Scope } from "../expression/expression.ts";

/** One value a row; read at any row, best near the last one. */
export interface Column {
  at(row: number): Value;
}

/** The rows of one partition, in order. */
export interface Partition {
  /** How many there are. */
  readonly length: number;
  scope(row: number): Scope;
  /** What the rows are sorted by where that is one field; read as an expression reads it. */
  readonly sortValues: Column;
  readonly isDescending: boolean;
  /** A column of values that are made when they are asked for: one row after another, each once. */
  column(make: (row: number) => Value): Column;
}
