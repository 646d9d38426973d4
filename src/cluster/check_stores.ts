/**
 * Checks one VNode's stores against their own checksums, the catalog and the log.
 *
 * That a collection has no table yet is no damage where the log still has the entry that created it and no row of it can
 * have been stored: the next start makes the table.
 */
import type { Disk } from "../io/mod.ts";
import {
  checkDocuments,
  Manifest,
  maskFileName,
  partitionOf,
  readManifestFile,
  readMaskFile,
  type SegmentMasks,
  type SegmentReport,
  SERIES_FILE,
  SeriesFile,
  SeriesIndex,
  verifySegment,
} from "../storage/mod.ts";
import { type CollectionInfo, namespaceText } from "./catalog.ts";
import { attempt, type CheckListener, counted } from "./check_report.ts";
import { masksText } from "./masks_text.ts";

/** What the log says of one group. */
export interface LoggedGroup {
  /** The first index that the log has, or would have. */
  start: number;
  /** The last index. */
  last: number;
  /** By collection: the first entry with rows or documents of it. */
  readonly firstOfCollection: Map<number, number>;
}

export interface StoresToCheck {
  readonly disk: Disk;
  /** The VNode's folder. */
  readonly directory: string;
  readonly group: LoggedGroup;
  /** Where the log ends; undefined when it is damaged. */
  readonly log: { readonly path: string; readonly end: number } | undefined;
  /** All collections; undefined when the catalog is not known. */
  readonly collections: readonly CollectionInfo[] | undefined;
  /** Collections whose creation is in the log. */
  readonly created: ReadonlySet<number>;
  readonly listener: CheckListener;
  readonly withCopy: WithCopy;
}

/**
 * Copies files of the data folder, those that are there, to another folder, calls `use` with the copy of the first (its
 * path as the operating system knows it), and removes the copies.
 */
export type WithCopy = <T>(paths: readonly string[], use: (path: string) => T) => T;

export interface StoresFound {
  readonly rows: number;
  readonly series: number;
  readonly documents: number;
}

export async function checkStores(stores: StoresToCheck): Promise<StoresFound> {
  const timeseries = await checkTimeseries(stores, `${stores.directory}/timeseries`);
  return { ...timeseries, documents: await checkSqlite(stores) };
}

/** The manifest, the series, the segments. */
async function checkTimeseries(stores: StoresToCheck, directory: string) {
  const { disk, listener } = stores;
  const found = { rows: 0, series: 0 };
  const currentPath = `${directory}/CURRENT`;
  if (!disk.exists(currentPath)) {
    const orphan = disk.list(directory).find((name) => name.endsWith(".seg"));
    if (orphan !== undefined || stores.group.start > 1) {
      listener.onProblem(currentPath, 0, `it is missing, but there is ${orphan ?? "a log that was cut"}`);
    }
    expectTables(stores, currentPath, tablesNamed(stores), new Set(), 0);
    return found;
  }
  const read = await attempt(listener, currentPath, () => Manifest.read(disk, directory));
  if (read === undefined) return found;
  const { manifest, path } = read;
  reportManifest(stores, manifest, path);
  const series = await checkSeries(stores, `${directory}/${SERIES_FILE}`, manifest);
  for (const [id, index] of series ?? []) if (manifest.tables.has(id)) found.series += index.size;
  const masks = await checkMasks(stores, directory, manifest);
  for (const number of manifest.segments.keys()) {
    const segmentPath = `${directory}/${String(number).padStart(8, "0")}.seg`;
    found.rows += await checkSegment(stores, segmentPath, number, manifest, series, masks.get(number));
  }
  noteLeftovers(stores, directory, manifest);
  expectTables(stores, path, tablesNamed(stores), new Set(manifest.tables.keys()), manifest.flushedIndex);
  return found;
}

/** The time-series collections of the catalog. */
function tablesNamed({ collections }: StoresToCheck): readonly CollectionInfo[] {
  return collections?.filter((info) => info.timeseries !== undefined) ?? [];
}

function reportManifest(
  { disk, group, log, listener }: StoresToCheck,
  manifest: Manifest,
  path: string,
): void {
  const { changes, end, sizeBytes } = readManifestFile(disk, path);
  const holds = [
    counted(changes.length, "change"),
    counted(manifest.tables.size, "table"),
    counted(manifest.segments.size, "segment"),
    `log entries up to ${manifest.flushedIndex}`,
  ];
  listener.onFile(path, `${holds.join(", ")}, ${counted(sizeBytes, "byte")}`);
  if (end < sizeBytes) {
    listener.onNote(path, `a torn record at byte ${end}, to be cut off at the next start`);
  }
  if (log === undefined) return;
  if (group.start > manifest.flushedIndex + 1) {
    const reason =
      `it counts log entries up to ${manifest.flushedIndex}, but the log starts at ${group.start}`;
    listener.onProblem(path, end, reason);
  }
  if (manifest.flushedIndex > group.last) {
    const reason = `the log ends at entry ${group.last}, but segments hold entries up to ` +
      `${manifest.flushedIndex} (after a power failure with --durability interval this may be)`;
    listener.onProblem(log.path, log.end, reason);
  }
}

async function checkSeries(
  { disk, listener }: StoresToCheck,
  path: string,
  manifest: Manifest,
): Promise<ReadonlyMap<number, SeriesIndex> | undefined> {
  const indexes = new Map<number, SeriesIndex>();
  if (!disk.exists(path)) {
    if (manifest.seriesBytes === 0) return indexes;
    listener.onProblem(
      path,
      0,
      `it is missing, the manifest counts ${counted(manifest.seriesBytes, "byte")}`,
    );
    return undefined;
  }
  const file = SeriesFile.openToRead(disk, path);
  try {
    const isWhole = await attempt(listener, path, () => {
      file.read(manifest.seriesBytes, (id) => {
        const index = indexes.get(id) ?? new SeriesIndex();
        indexes.set(id, index);
        return index;
      }, () => {});
      return true;
    });
    if (isWhole === undefined) return undefined;
    const series = [...indexes.values()].reduce((sum, index) => sum + index.size, 0);
    const tables = counted(indexes.size, "table");
    const bytes = counted(manifest.seriesBytes, "byte");
    listener.onFile(path, `${counted(series, "series", "series")} of ${tables}, ${bytes}`);
    if (file.sizeBytes > manifest.seriesBytes) {
      listener.onNote(path, `${counted(file.sizeBytes - manifest.seriesBytes, "byte")} behind what counts`);
    }
    return indexes;
  } finally {
    file.close();
  }
}

/** @returns by segment: which of its rows changes took away */
async function checkMasks(
  { disk, listener }: StoresToCheck,
  directory: string,
  manifest: Manifest,
): Promise<ReadonlyMap<number, SegmentMasks>> {
  const found = new Map<number, SegmentMasks>();
  const segmentsOfFile = Map.groupBy(manifest.maskFiles, ([, file]) => file);
  for (const [file, segments] of segmentsOfFile) {
    const path = `${directory}/${maskFileName(file)}`;
    if (!disk.exists(path)) {
      listener.onProblem(path, 0, "it is missing, but the manifest counts it");
      continue;
    }
    const masks = await attempt(listener, path, () => readMaskFile(disk, path));
    if (masks === undefined) continue;
    listener.onFile(path, masksText(masks));
    for (const [segment] of segments) {
      const own = masks.get(segment);
      if (own !== undefined) found.set(segment, own);
      else {listener.onProblem(
          path,
          0,
          `it says nothing of segment ${segment}, for which the manifest counts it`,
        );}
    }
  }
  return found;
}

/** @returns the rows of tables that exist */
async function checkSegment(
  { disk, listener }: StoresToCheck,
  path: string,
  number: number,
  manifest: Manifest,
  series: ReadonlyMap<number, SeriesIndex> | undefined,
  masks: SegmentMasks = new Map(),
): Promise<number> {
  if (!disk.exists(path)) {
    listener.onProblem(path, 0, "it is missing, but the manifest counts it");
    return 0;
  }
  const report = await attempt(listener, path, () => verifySegment(disk, path));
  if (report === undefined) return 0;
  let rows = 0;
  let allRows = 0;
  let groups = 0;
  let pages = 0;
  const groupsWithMask = new Set(masks.keys());
  for (const { entry, groups: read } of report.tables) {
    for (const group of entry.groups) {
      allRows += group.rows;
      groupsWithMask.delete(group.offset);
      const mask = masks.get(group.offset);
      if (manifest.tables.has(entry.tableId)) rows += group.rows - (mask?.count ?? 0);
      mask?.forEach((row) => {
        if (row < group.rows) return;
        listener.onProblem(path, group.offset, `row ${row} is masked, the row group has ${group.rows}`);
      });
      const known = series?.get(entry.tableId)?.size ?? 0;
      if (series !== undefined && group.lastSeries >= known) {
        const reason = `series ${group.lastSeries} of table ${entry.tableId}, the series file has ${known}`;
        listener.onProblem(path, group.headerOffset, reason);
      }
    }
    groups += entry.groups.length;
    pages += read.reduce((sum, group) => sum + group.pages.length, 0);
  }
  for (const offset of groupsWithMask) {
    listener.onProblem(path, offset, "a mask, but no row group begins here");
  }
  const tables = counted(report.tables.length, "table");
  const holds = `${counted(allRows, "row")} of ${tables}, ${counted(groups, "row group")}, ${
    counted(pages, "page")
  }, ${counted(report.sizeBytes, "byte")}`;
  listener.onFile(path, holds);
  checkPartition(listener, path, number, manifest, report);
  for (const { offset, reason } of report.damages) listener.onProblem(path, offset, reason);
  return rows;
}

/** A segment of level 1 lies within one partition. */
function checkPartition(
  listener: CheckListener,
  path: string,
  number: number,
  { segments, bounds }: Manifest,
  { tables }: SegmentReport,
): void {
  if (segments.get(number)?.level !== 1) return;
  const partitions = new Set<number>();
  for (const { entry: { tableId, groups } } of tables) {
    for (const { minTime, maxTime } of groups) {
      partitions.add(partitionOf(bounds, tableId, minTime)).add(partitionOf(bounds, tableId, maxTime));
    }
  }
  if (partitions.size <= 1) return;
  listener.onProblem(
    path,
    0,
    `it is of level 1 and lies in ${counted(partitions.size, "partition")}, expected 1`,
  );
}

function noteLeftovers({ disk, listener }: StoresToCheck, directory: string, manifest: Manifest): void {
  const own = manifest.ownNames().add(SERIES_FILE);
  for (const number of manifest.segments.keys()) own.add(`${String(number).padStart(8, "0")}.seg`);
  for (const number of manifest.maskFiles.values()) own.add(maskFileName(number));
  for (const name of disk.list(directory)) {
    if (!own.has(name)) listener.onNote(`${directory}/${name}`, "left over, to be removed at the next start");
  }
}

/** Every collection has its table, unless nothing of it can have been stored yet. */
function expectTables(
  { group, created, listener }: StoresToCheck,
  path: string,
  collections: readonly CollectionInfo[],
  tables: ReadonlySet<number>,
  storedIndex: number,
): void {
  for (const info of collections) {
    if (tables.has(info.id)) continue;
    const first = group.firstOfCollection.get(info.id) ?? Infinity;
    if (created.has(info.id) && first > storedIndex) continue;
    const reason = `it has no table ${info.id}, which the catalog names ${namespaceText(info)}`;
    listener.onProblem(path, 0, reason);
  }
}

/** @returns the documents in it */
async function checkSqlite(stores: StoresToCheck): Promise<number> {
  const { disk, directory, listener } = stores;
  const path = `${directory}/documents.sqlite`;
  if (!disk.exists(path)) {
    if (stores.group.start > 1) listener.onProblem(path, 0, "it is missing, but the log was cut");
    else listener.onNote(path, "it is missing; the next start makes it from the log");
    const named = stores.collections?.filter((info) => info.timeseries === undefined) ?? [];
    expectTables(stores, path, named, new Set(), 0);
    return 0;
  }
  const report = await attempt(listener, path, () => stores.withCopy([path, `${path}-wal`], checkDocuments));
  if (report === undefined) return 0;
  const { collections, appliedIndex, problems } = report;
  const documents = [...collections.values()].reduce((sum, found) => sum + found.documents, 0);
  const of = counted(collections.size, "collection");
  const bytes = counted(sizeOf(disk, path), "byte");
  listener.onFile(
    path,
    `${counted(documents, "document")} of ${of}, log entries up to ${appliedIndex}, ${bytes}`,
  );
  for (const { offset, reason } of problems) listener.onProblem(path, offset, reason);
  const named = stores.collections?.filter((info) => info.timeseries === undefined) ?? [];
  expectTables(stores, path, named, new Set(collections.keys()), appliedIndex);
  return documents;
}

function sizeOf(disk: Disk, path: string): number {
  if (!disk.exists(path)) return 0;
  const file = disk.open(path, "read");
  try {
    return file.size();
  } finally {
    file.close();
  }
}
