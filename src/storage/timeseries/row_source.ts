/** Where stored rows live, in memory or in a page of a segment: what a row's view asks of it. */
import type { BsonWriter, Value } from "../../bson/mod.ts";
import type { RowTemplates } from "./row_templates.ts";
import type { FieldName, Shape } from "./shape.ts";

export interface RowSource {
  /** The shape of a row; undefined for one that is kept whole. */
  shapeOf(row: number): Shape | undefined;
  /** Milliseconds since 1970. */
  timeOf(row: number): number;
  metaOf(row: number): Value;
  /** The type byte of a row's meta, 0 without one. */
  metaTypeOf(row: number): number;
  /** Writes the bytes of a row's meta, without type and name. */
  writeMeta(row: number, writer: BsonWriter): void;
  /** The value in `column` of a row that has one there. */
  valueOf(column: number, row: number): Value;
  /** Writes it as an element of that name. */
  writeValue(column: number, row: number, name: FieldName, writer: BsonWriter): void;
  /** What rows that lie side by side are written by; absent where neighbours are of different series. */
  readonly templates?: RowTemplates;
  /** The document of a row that is kept whole. */
  wholeBytes(row: number): Uint8Array;
}
