/** Where stored rows live, in memory or in a page of a segment: what a row's view asks of it. */
import type { Value } from "../../bson/mod.ts";
import type { Column } from "../../column/mod.ts";
import type { Shape } from "./shape.ts";

export interface RowSource {
  /** The shape of a row; undefined for one that is kept whole. */
  shapeOf(row: number): Shape | undefined;
  /** Milliseconds since 1970. */
  timeOf(row: number): number;
  metaOf(row: number): Value;
  /** The type byte and the bytes of a row's meta. */
  rawMetaOf(row: number): { readonly type: number; readonly bytes: Uint8Array };
  /** The column that holds value `column` of a row that has it, and its index there. */
  columnFor(column: number, row: number): Column;
  indexIn(column: number, row: number): number;
  /** The document of a row that is kept whole. */
  wholeBytes(row: number): Uint8Array;
}
