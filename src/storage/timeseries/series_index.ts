/** The series of one table: canonical meta bytes ↔ series number, numbers given in order of arrival from 0. */
import { type BsonType, type BsonWriter, RawDocument, readValue, type Value } from "../../bson/mod.ts";
import { KeyTable } from "./key_table.ts";
import { MetaDocument } from "./meta_document.ts";

/** Metas kept decoded for the rows of their series; a power of two. */
const SHARED_METAS = 1024;

/** A key's type is the meta's type byte, 0 where there is no metaField; its value the meta as BSON has it. */
export class SeriesIndex extends KeyTable {
  /** What `sharedMetaOf` gave last in each slot, and for which series. */
  private readonly sharedMetas: Value[] = [];
  private sharedSeries: Int32Array | undefined;

  /** The meta; undefined for the series of the measurements without one. */
  metaOf(series: number): Value {
    const type = this.typeOf(series);
    return type === 0 ? undefined : readValue(this.bytes, type as BsonType, this.startOf(series));
  }

  /**
   * As `metaOf`; of a series whose rows are being read, again and again the same value, its fields decoded once. What
   * `metaOf` gives is cheaper for one look at each of many series.
   */
  sharedMetaOf(series: number): Value {
    const shared = this.sharedSeries ??= new Int32Array(SHARED_METAS).fill(-1);
    const slot = series & (SHARED_METAS - 1);
    if (shared[slot] !== series) {
      const meta = this.metaOf(series);
      this.sharedMetas[slot] = meta instanceof RawDocument ? new MetaDocument(meta) : meta;
      shared[slot] = series;
    }
    return this.sharedMetas[slot];
  }

  /** Writes the value's bytes, without type and name. */
  writeTo(series: number, writer: BsonWriter): void {
    writer.bytes(this.bytes, this.startOf(series), this.endOf(series));
  }
}
