/** The tables of a store: which there are, which of them the manifest knows, and what their memtables hold. */
import {
  assert,
  MAX_META_COLUMN_BYTES,
  MAX_POSTINGS_BYTES,
  type MemoryBudget,
  type MemoryLease,
} from "../../base/mod.ts";
import { freezeTables, type Frozen } from "./frozen.ts";
import type { Manifest, TableOptions } from "./manifest.ts";
import type { TableSnapshot } from "./table_snapshot.ts";
import type { SeriesFile } from "./series_file.ts";
import { PathCache } from "./path_cache.ts";
import { type MetaCaches, Table } from "./table.ts";

export class TableSet {
  private readonly tables = new Map<number, Table>();
  private readonly caches: MetaCaches;
  /** Tables that the manifest does not know yet, and the append that runs to tell it. */
  private readonly unrecorded = new Map<number, Promise<void> | undefined>();
  private readonly lease: MemoryLease;
  private active = 0;
  private frozenBytes = 0;

  constructor(private readonly manifest: Manifest, memory: MemoryBudget) {
    this.lease = memory.lease();
    this.caches = {
      postings: new PathCache(memory, MAX_POSTINGS_BYTES),
      metaColumns: new PathCache(memory, MAX_META_COLUMN_BYTES),
    };
  }

  /** Makes the tables that the manifest names, with their series. @throws CorruptionError */
  load(seriesFile: SeriesFile): void {
    const { manifest, tables } = this;
    for (const [id, options] of manifest.tables) {
      const table = new Table(id, options, this.caches);
      table.expire(manifest.expiries.get(id) ?? []);
      tables.set(id, table);
    }
    seriesFile.read(manifest.seriesBytes, (id) => tables.get(id)?.index, (id, sizeBytes) => {
      const table = tables.get(id);
      if (table !== undefined) table.seriesBytes += sizeBytes;
    });
    for (const table of tables.values()) table.persistedSeries = table.index.size;
  }

  /** As they come and go. */
  get byId(): ReadonlyMap<number, Table> {
    return this.tables;
  }

  /** All of them as they are now, one after another. */
  *snapshots(): Generator<TableSnapshot> {
    for (const table of this.tables.values()) yield table.snapshot();
  }

  /** One that must be there. */
  get(id: number): Table {
    const table = this.tables.get(id);
    assert(table !== undefined, `table ${id} exists`);
    return table;
  }

  /** One in which all that was applied can be seen. @throws CorruptionError, or what the disk throws */
  ready(id: number): Table {
    const table = this.get(id);
    this.counted(table, () => table.catchUp());
    return table;
  }

  /** Makes a table, there at once; nothing when it is there. */
  create(id: number, options: TableOptions): void {
    if (this.tables.has(id)) return;
    this.tables.set(id, new Table(id, options, this.caches));
    this.unrecorded.set(id, undefined);
  }

  /** Tells the manifest of a table that it does not know yet. */
  async record(id: number): Promise<void> {
    const table = this.tables.get(id);
    if (table === undefined || !this.unrecorded.has(id)) return;
    const running = this.unrecorded.get(id);
    if (running !== undefined) return await running;
    const recording = this.manifest.append({ kind: "table", id, ...table.options });
    this.unrecorded.set(id, recording);
    try {
      await recording;
      this.unrecorded.delete(id);
    } catch (error) {
      if (this.unrecorded.has(id)) this.unrecorded.set(id, undefined);
      throw error;
    }
  }

  /** Forgets a table that the manifest has no more. */
  remove(id: number): void {
    this.active -= this.tables.get(id)?.activeBytes ?? 0;
    this.countMemory();
    this.tables.delete(id);
    this.caches.postings.forget(id);
    this.caches.metaColumns.forget(id);
    this.unrecorded.delete(id);
  }

  /** Bytes of the memtables that grow. */
  get activeBytes(): number {
    return this.active;
  }

  /** Bytes of all memtables, those that are being flushed included. */
  get memtableBytes(): number {
    return this.active + this.frozenBytes;
  }

  /** Counts what a table's active memtable grows by. */
  counted<T>(table: Table, grow: () => T): T {
    const before = table.activeBytes;
    try {
      return grow();
    } finally {
      this.active += table.activeBytes - before;
      this.countMemory();
    }
  }

  /** Takes what is to be written of all tables; undefined when that is nothing. @param logIndex the last one applied */
  freeze(logIndex: number): Frozen | undefined {
    for (const id of this.tables.keys()) this.ready(id);
    const bytes = this.active;
    this.active = 0;
    const frozen = freezeTables([...this.tables.values()], logIndex, bytes);
    this.frozenBytes = frozen?.bytes ?? 0;
    return frozen;
  }

  /** What was frozen is in segments. */
  noteThawed(): void {
    this.frozenBytes = 0;
    this.countMemory();
  }

  /** What all tables hold together. */
  totals(): { readonly tables: number; readonly series: number; readonly rows: number } {
    let series = 0;
    let rows = 0;
    for (const table of this.tables.values()) {
      const stats = table.stats();
      series += stats.series;
      rows += stats.rows;
    }
    return { tables: this.tables.size, series, rows };
  }

  private countMemory(): void {
    this.lease.set(this.memtableBytes);
  }
}
