/**
 * Groups of rows whose key reads measured values: rows of one series and span of time (a cell) that have the same values at
 * the paths of the key are in one group, so the key is computed once for them. Rows are parted by their groups in the
 * order in which they come, each part to be folded as one.
 *
 *     codes[p][k]    of row k of a slice, which value it has at path p
 *     groups[k]      its group, known by the cell and the codes
 *     parts          the groups of the slice, with their rows one behind the other
 */
import type { Value } from "../../../bson/mod.ts";
import { grownInt32 } from "../../../column/mod.ts";
import { type ColumnView, indexOfRow, valueOf } from "./column_view.ts";
import type { GroupKeys, MeasuredKeys } from "./fragment.ts";
import { NOT_THERE, PairTable } from "./pair_table.ts";
import type { Slice } from "./series_runs.ts";
import { ValueCodes } from "./value_codes.ts";

/** What is remembered of cells and values; beyond that all of it is found anew. */
const MAX_PAIRS = 2 ** 17;
const INITIAL_ROWS = 1024;
/** So many rows of a cell are worth a table of its groups, for so many tuples at the most. */
const LEAST_TABLE_ROWS = 256;
const MAX_TABLE_TUPLES = 1024;

export class MeasuredGroups {
  /** Above all others that were met. */
  greatest = 0;
  /** Of each row of the slice that was read last. */
  groups = new Int32Array(INITIAL_ROWS);
  /** Of its parts: how many there are, the group of each, where its rows end in `rows`. */
  partCount = 0;
  partGroups = new Int32Array(INITIAL_ROWS);
  partEnds = new Int32Array(INITIAL_ROWS);
  rows = new Int32Array(INITIAL_ROWS);
  private cells = 0;
  private codes: ValueCodes[];
  private codesOfRows: Int32Array[];
  private readonly views: ColumnView[] = [];
  /** Of each path but the first: the number of a pair of what stands for the values before it, and its own. */
  private tuples: PairTable[];
  private readonly known = new PairTable();
  /** Of the last cell with many rows, by tuple: the group, or NOT_THERE where `known` has to be asked. */
  private table = new Int32Array(0);
  private tableCell = NOT_THERE;
  /** By group: its part of the slice, while that is parted. */
  private parts = new Int32Array(INITIAL_ROWS).fill(NOT_THERE);

  constructor(private readonly keys: MeasuredKeys) {
    this.codes = keys.paths.map(() => new ValueCodes());
    this.codesOfRows = keys.paths.map(() => new Int32Array(INITIAL_ROWS));
    this.tuples = keys.paths.slice(1).map(() => new PairTable());
  }

  /** Keys that give a number to each cell. */
  cellKeys(keys: GroupKeys): GroupKeys {
    return {
      classOf: (meta, series) => keys.classOf(meta, series),
      spanClassOf: (span, ms) => keys.spanClassOf(span, ms),
      groupOf: () => this.cells++,
      spanOf: (ms) => keys.spanOf(ms),
    };
  }

  /**
   * Finds the groups of the rows of a slice, all of them in one cell.
   *
   * @param meta of their series
   * @param ms the time of one of them
   * @returns the group of all of them; NOT_THERE where they have several
   */
  read({ source, rows, from, to }: Slice, cell: number, meta: Value, ms: number): number {
    const count = to - from;
    this.reserve(count);
    if (this.isFull()) this.forget();
    const { keys, codes, codesOfRows, groups, known } = this;
    for (let p = 0; p < codes.length; p++) {
      const view = this.views[p] = source.view(keys.paths[p]!, rows, from, to);
      codes[p]!.read(view, rows, from, to, codesOfRows[p]!);
    }
    const tuples = this.tuplesOf(count);
    const table = this.tableOf(cell, count);
    let first = NOT_THERE;
    let isOne = true;
    for (let k = 0; k < count; k++) {
      const tuple = tuples[k]!;
      let group = table === undefined ? known.get(cell, tuple) : table[tuple]!;
      if (group === NOT_THERE) {
        group = known.get(cell, tuple);
        if (group === NOT_THERE) {
          const values = this.valuesOf(rows === undefined ? from + k : rows[from + k]!);
          group = keys.groupOf(meta, ms, values);
          known.add(cell, tuple, group);
          if (group > this.greatest) this.greatest = group;
        }
        if (table !== undefined) table[tuple] = group;
      }
      groups[k] = group;
      if (first === NOT_THERE) first = group;
      else if (group !== first) isOne = false;
    }
    return isOne ? first : NOT_THERE;
  }

  /** What is known of a cell, by tuple, where it has many rows of few tuples: all below its length may be asked for. */
  private tableOf(cell: number, rows: number): Int32Array | undefined {
    const end = this.tuples.at(-1)?.size ?? this.codes[0]!.end;
    if (rows < LEAST_TABLE_ROWS || end > MAX_TABLE_TUPLES) return undefined;
    if (cell !== this.tableCell || end > this.table.length) {
      if (end > this.table.length) this.table = new Int32Array(2 * end);
      this.table.fill(NOT_THERE);
      this.tableCell = cell;
    }
    return this.table;
  }

  /** Parts the rows that were read last, given as then. @param groupCount above all groups */
  part(rows: Int32Array | undefined, from: number, to: number, groupCount: number): void {
    const count = to - from;
    if (this.parts.length < groupCount) {
      const before = this.parts.length;
      this.parts = grownInt32(this.parts, Math.max(groupCount, 2 * before)).fill(NOT_THERE, before);
    }
    const { groups, parts, partGroups, partEnds } = this;
    let partCount = 0;
    for (let k = 0; k < count; k++) {
      const group = groups[k]!;
      let part = parts[group]!;
      if (part === NOT_THERE) {
        part = parts[group] = partCount++;
        partGroups[part] = group;
        partEnds[part] = 0;
      }
      partEnds[part]!++;
    }
    let start = 0;
    for (let part = 0; part < partCount; part++) {
      const length = partEnds[part]!;
      partEnds[part] = start;
      start += length;
    }
    // Each end moves from where its part begins to where it ends.
    for (let k = 0; k < count; k++) {
      this.rows[partEnds[parts[groups[k]!]!]!++] = rows === undefined ? from + k : rows[from + k]!;
    }
    for (let part = 0; part < partCount; part++) parts[partGroups[part]!] = NOT_THERE;
    this.partCount = partCount;
  }

  /** A number for the values of each row. */
  private tuplesOf(count: number): Int32Array {
    const tuples = this.codesOfRows[0]!;
    for (let p = 1; p < this.codes.length; p++) {
      const own = this.codesOfRows[p]!;
      const table = this.tuples[p - 1]!;
      for (let k = 0; k < count; k++) {
        let tuple = table.get(tuples[k]!, own[k]!);
        if (tuple === NOT_THERE) table.add(tuples[k]!, own[k]!, tuple = table.size);
        tuples[k] = tuple;
      }
    }
    return tuples;
  }

  private valuesOf(row: number): readonly Value[] {
    return this.views.map((view) => {
      const index = indexOfRow(view, row);
      return index < 0 ? undefined : valueOf(view, index);
    });
  }

  private isFull(): boolean {
    return this.known.size > MAX_PAIRS || this.codes.some((codes) => codes.isFull) ||
      this.tuples.some((tuples) => tuples.size > MAX_PAIRS);
  }

  private forget(): void {
    this.codes = this.codes.map(() => new ValueCodes());
    this.tuples = this.tuples.map(() => new PairTable());
    this.known.clear();
    this.tableCell = NOT_THERE;
  }

  private reserve(count: number): void {
    if (count <= this.groups.length) return;
    const length = Math.max(count, 2 * this.groups.length);
    this.groups = new Int32Array(length);
    this.partGroups = new Int32Array(length);
    this.partEnds = new Int32Array(length);
    this.rows = new Int32Array(length);
    this.codesOfRows = this.codesOfRows.map(() => new Int32Array(length));
  }
}
