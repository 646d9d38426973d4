/**
 * Checks a whole data folder without writing to it: every checksum is read, every page decoded, the log replayed without
 * being applied, and what the files say of each other compared.
 *
 *     format.json → mnode/catalog → log (its catalog entries go on top of the snapshot) → each vnode's stores
 *
 * The caller sees to it that no server runs on the folder.
 */
import type { Disk } from "../io/mod.ts";
import { decodeEffects, type LogRecord, readLogFile, replayLog } from "../storage/mod.ts";
import { CATALOG_PATH, readCatalog } from "./catalog_file.ts";
import { checkKeptFiles } from "./check_kept.ts";
import { attempt, type CheckListener, counted } from "./check_report.ts";
import { checkStores, type LoggedGroup, type WithCopy } from "./check_stores.ts";
import { readStamp } from "./data_folder.ts";
import { decodeMeasurements, EntryKind, MNODE_GROUP } from "./entry.ts";
import { MNode } from "./mnode.ts";

const LOG_DIRECTORY = "log";
const FORMAT_PATH = "format.json";
const VNODE = /^vnode-(\d+)$/;

/** What a checked folder holds. */
export interface CheckSummary {
  readonly collections: number;
  /** Measurements in segments. */
  readonly rows: number;
  readonly series: number;
  /** Documents of regular collections in SQLite. */
  readonly documents: number;
  /** Entries in the log. */
  readonly entries: number;
}

/**
 * Checks a folder; what is found goes to the listener.
 *
 * @param withCopy SQLite, which writes beside what it reads, gets copies
 */
export async function checkDataFolder(
  disk: Disk,
  listener: CheckListener,
  withCopy: WithCopy,
): Promise<CheckSummary> {
  const summary = { collections: 0, rows: 0, series: 0, documents: 0, entries: 0 };
  if (!disk.exists(FORMAT_PATH)) {
    listener.onProblem(FORMAT_PATH, 0, "it is missing: this is no data folder of ChronoGo");
    return summary;
  }
  const uuid = await attempt(listener, FORMAT_PATH, () => readStamp(disk));
  if (uuid !== undefined) listener.onFile(FORMAT_PATH, `node ${uuid}`);

  const mnode = new MNode();
  const hasCatalog = await attempt(listener, CATALOG_PATH, () => restoreCatalog(disk, mnode, listener));
  const log = await checkLog(disk, hasCatalog === true ? mnode : undefined, listener);
  summary.entries = log.entries;
  const isCatalogKnown = hasCatalog === true && log.isWhole;
  if (isCatalogKnown) {
    checkCatalogIndex(mnode, log, listener);
    summary.collections = mnode.allCollections().length;
  }
  for (const number of vnodesOf(disk, log)) {
    const stores = await checkStores({
      disk,
      directory: `vnode-${number}`,
      group: log.groups.get(number) ?? newGroup(),
      log: log.isWhole ? { end: log.end, path: log.lastPath } : undefined,
      collections: isCatalogKnown
        ? mnode.allCollections().filter((info) => info.view === undefined)
        : undefined,
      created: log.created,
      listener,
      withCopy,
    });
    summary.rows += stores.rows;
    summary.series += stores.series;
    summary.documents += stores.documents;
  }
  return summary;
}

/** Numbers of the VNodes that have a folder or entries in the log, ascending. */
function vnodesOf(disk: Disk, log: CheckedLog): number[] {
  const folders = disk.list("").flatMap((name) => VNODE.exec(name)?.[1] ?? []).map(Number);
  const logged = [...log.groups.keys()].filter((group) => group !== MNODE_GROUP);
  return [...new Set([...folders, ...logged])].sort((a, b) => a - b);
}

/** @returns true; a folder without a snapshot has its whole catalog in the log */
function restoreCatalog(disk: Disk, mnode: MNode, listener: CheckListener): boolean {
  const state = readCatalog(disk);
  if (state === undefined) return true;
  mnode.restore(state);
  const collections = counted(mnode.allCollections().length, "collection");
  listener.onFile(CATALOG_PATH, `${collections}, entries up to ${mnode.appliedIndex}`);
  return true;
}

/** What the log says, for the stores to be held against. */
interface CheckedLog {
  /** False when it is damaged: then nothing follows from what it does not hold. */
  readonly isWhole: boolean;
  readonly entries: number;
  readonly groups: ReadonlyMap<number, LoggedGroup>;
  /** Collections that entries of the log created. */
  readonly created: ReadonlySet<number>;
  /** The last file, and where its records end. */
  readonly lastPath: string;
  readonly end: number;
}

function newGroup(): LoggedGroup {
  return { start: 1, last: 0, firstOfCollection: new Map() };
}

async function checkLog(disk: Disk, mnode: MNode | undefined, listener: CheckListener): Promise<CheckedLog> {
  const groups = new Map<number, LoggedGroup>();
  const created = new Set<number>();
  let entries = 0;
  let lastPath = LOG_DIRECTORY;
  const groupOf = (number: number): LoggedGroup => {
    const group = groups.get(number) ?? newGroup();
    groups.set(number, group);
    return group;
  };
  await checkKeptFiles(disk, LOG_DIRECTORY, listener);
  for (const name of disk.list(LOG_DIRECTORY)) {
    if (name.endsWith(".kept")) continue;
    const path = `${LOG_DIRECTORY}/${name}`;
    if (!name.endsWith(".log")) {
      listener.onNote(path, name.endsWith(".spare") ? "kept to be used again" : "left over");
      continue;
    }
    // The replay below says what is wrong; this only counts.
    const file = await attempt(SILENT, path, () => readLogFile(disk, path));
    if (file === undefined) continue;
    const first = lastPath === LOG_DIRECTORY ? file.records[0]?.positions : undefined;
    for (const [group, index] of first ?? []) groupOf(group).start = index + 1;
    lastPath = path;
    const own = file.records.filter((placed) => placed.positions === undefined).length;
    const holds = `${counted(own, "record")} in ${counted(file.end, "byte")} of ${
      counted(file.sizeBytes, "byte")
    }`;
    listener.onFile(path, holds);
  }
  const replayed = await attempt(listener, lastPath, () =>
    replayLog(disk, LOG_DIRECTORY, (record) => {
      entries++;
      const group = groupOf(record.group);
      group.last = record.index;
      if (record.group !== MNODE_GROUP) noteEntry(record, group);
      else noteCatalogEntry(record, mnode, created);
    }));
  for (const [group, index] of replayed?.positions ?? []) groupOf(group).last = index;
  const last = replayed?.files.at(-1);
  if (last?.hasStaleRecords === true) {
    listener.onNote(lastPath, `a torn tail at byte ${last.end}, to be cut off at the next start`);
  }
  return { isWhole: replayed !== undefined, entries, groups, created, lastPath, end: last?.end ?? 0 };
}

const SILENT: CheckListener = { onFile() {}, onProblem() {}, onNote() {} };

function noteCatalogEntry(record: LogRecord, mnode: MNode | undefined, created: Set<number>): void {
  if (mnode === undefined) return;
  if (record.kind === EntryKind.CollectionCreated) {
    // The snapshot may contain the entry already: then a fresh state reads it.
    const reader = new MNode();
    reader.apply(1, record.kind, record.payload);
    for (const info of reader.allCollections()) created.add(info.id);
  }
  mnode.apply(record.index, record.kind, record.payload);
}

function noteEntry(record: LogRecord, group: LoggedGroup): void {
  const note = (id: number) => {
    if (!group.firstOfCollection.has(id)) group.firstOfCollection.set(id, record.index);
  };
  if (record.kind === EntryKind.Measurements || record.kind === EntryKind.Changes) {
    note(decodeMeasurements(record.payload).tableId);
  } else if (record.kind === EntryKind.Documents) {
    for (const effect of decodeEffects(record.payload)) note(effect.collectionId);
  } else {
    throw new Error(
      `entry ${record.index} of group ${record.group} has kind ${record.kind}, which is not known`,
    );
  }
}

function checkCatalogIndex(mnode: MNode, log: CheckedLog, listener: CheckListener): void {
  const last = log.groups.get(MNODE_GROUP)?.last ?? 0;
  if (mnode.appliedIndex === last) return;
  const reason = `it counts catalog entries up to ${mnode.appliedIndex}, but the log up to ${last}`;
  listener.onProblem(CATALOG_PATH, 0, reason);
}
