/**
 * Documents as rows of columns, those with the same fields in the same order together. A document in one, made by a stage, is
 * a row of columns, too: the `_id` of groups and windows.
 */
import { BuiltDocument, type Document } from "../bson/mod.ts";
import { ColumnRow } from "./column_row.ts";
import { approximateBytes, SharedCopies } from "./memory.ts";
import { type DocumentColumns, ValueColumn } from "./value_column.ts";

/** Documents of more layouts than this are no rows of columns. */
const MOST_LAYOUTS = 64;

/** The fields of documents that have the same ones in the same order. */
interface RowLayout {
  readonly names: readonly string[];
  /** By name. */
  readonly columns: readonly ValueColumn[];
  /** By name. */
  readonly copies: readonly SharedCopies[];
  rows: number;
}

export class RowColumns implements DocumentColumns {
  /** Of the document that was added last, about. */
  lastBytes = 0;
  private readonly layouts: RowLayout[] = [];
  /** The names of the last document, and its layout, where it has one. */
  private lastNames: readonly string[] | undefined;
  private lastLayout: number | undefined;

  /** @param fields those at the top that are kept; undefined for all */
  constructor(private readonly fields: ReadonlySet<string> | undefined) {}

  /** @returns where it stands; undefined for a document that cannot be told by columns, which is not added */
  add(document: Document): number | undefined {
    if (document instanceof BuiltDocument && document.hasPlaces) return undefined;
    const names = document.names();
    if (!this.areLast(names)) {
      this.lastLayout = this.layoutOf(names);
      this.lastNames = names;
    }
    if (this.lastLayout === undefined) return undefined;
    const layout = this.layouts[this.lastLayout]!;
    const { names: kept, columns, copies } = layout;
    const values = document instanceof BuiltDocument && kept.length === names.length
      ? document.values()
      : undefined;
    let bytes = 0;
    for (let i = 0; i < kept.length; i++) {
      const value = values === undefined ? document.get(kept[i]!) : values[i];
      bytes += columns[i]!.push(copies[i]!.of(value));
    }
    this.lastBytes = bytes;
    return layout.rows++ * MOST_LAYOUTS + this.lastLayout;
  }

  at(where: number): ColumnRow {
    const { names, columns } = this.layouts[where % MOST_LAYOUTS]!;
    return new ColumnRow(names, columns, Math.floor(where / MOST_LAYOUTS));
  }

  private areLast(names: readonly string[]): boolean {
    const last = this.lastNames;
    if (last === names) return true;
    return last !== undefined && last.length === names.length && names.every((name, i) => name === last[i]);
  }

  private layoutOf(names: readonly string[]): number | undefined {
    const { fields, layouts } = this;
    const kept = fields === undefined ? names : names.filter((name) => fields.has(name));
    const known = layouts.findIndex((layout) =>
      layout.names.length === kept.length && layout.names.every((name, i) => name === kept[i])
    );
    if (known >= 0) return known;
    if (layouts.length === MOST_LAYOUTS || new Set(kept).size < kept.length) return undefined;
    const columns = kept.map(() => new ValueColumn(approximateBytes, new RowColumns(undefined)));
    const copies = kept.map(() => new SharedCopies());
    return layouts.push({ names: kept, columns, copies, rows: 0 }) - 1;
  }
}
