/**
 * What the store consists of: an append-only file of changes (docs/format/manifest.md).
 *
 *     CURRENT        the name of the manifest that counts, and a line feed; replaced by rename only
 *     MANIFEST-n     8 bytes "CGMANIF\n" | uint32 version | uint32 CRC-32 of the 12 bytes before | records
 *     record         uint32 bytes of the content | uint32 CRC-32 of the content | content: a change as JSON
 *
 * The state is what applying all changes gives. A change counts once its record is synced. Only the last record can be
 * torn by a crash: bad bytes with a good record behind them are damage, bad bytes without one are cut off.
 */
import { assert, CorruptionError, crc32 } from "../../base/mod.ts";
import { ByteWriter } from "../../column/mod.ts";
import type { Disk, DiskFile } from "../../io/mod.ts";
import { type Expiry, isSameExpiry, withExpiry } from "./expiry.ts";
import { type Bound, boundOf, changedBounds, type RecordedBound, recordedBound } from "./partition.ts";

const VERSION = 1;
const HEADER_BYTES = 16;
const RECORD_HEADER_BYTES = 8;
const MAGIC = new TextEncoder().encode("CGMANIF\n");
const CURRENT = "CURRENT";
const CURRENT_DRAFT = "CURRENT.tmp";
/** A manifest is written anew once it is this large and four times what the new one takes. */
const LEAST_REWRITE_BYTES = 64 * 1024;
const REWRITE_FACTOR = 4;

/** What a table is made with. */
export interface TableOptions {
  readonly timeField: string;
  readonly metaField: string | undefined;
  /** A hint for the span of time that a partition covers, in seconds. */
  readonly spanSeconds: number;
}

/** A mask file that says which rows of some segments are gone, in the place of what an earlier one said of them. */
export interface MasksOfSegments {
  readonly file: number;
  readonly segments: readonly number[];
}

/** Where a segment stands among the others. */
export interface SegmentPlace {
  /** The number of the latest flush whose rows are in it: of one series and time, smaller ones came first. */
  readonly arrival: number;
  /** 0: rows of any table and time; 1: rows of one partition, older than what level 0 has of it. */
  readonly level: 0 | 1;
}

/** Segments came in the place of others. */
export interface CompactChange {
  readonly kind: "compact";
  readonly removed: readonly number[];
  readonly added: readonly ({ readonly segment: number } & SegmentPlace)[];
  readonly boundsRemoved: readonly RecordedBound[];
  readonly boundsAdded: readonly RecordedBound[];
  /** Expiries that no segment needs any more. */
  readonly settled: readonly ({ readonly id: number } & Expiry)[];
  /** What was taken away from their rows while they were merged. */
  readonly masks?: MasksOfSegments;
}

/** One change of the state. */
export type Change =
  | ({ readonly kind: "table"; readonly id: number } & TableOptions)
  | { readonly kind: "drop"; readonly id: number }
  /** A segment came, or none where there were no rows; series file and log count up to the places named. */
  | {
    readonly kind: "flush";
    readonly segment?: number;
    readonly masks?: MasksOfSegments;
    readonly seriesBytes: number;
    readonly flushedIndex: number;
  }
  | ({ readonly kind: "masks" } & MasksOfSegments)
  | { readonly kind: "remove"; readonly segment: number }
  | CompactChange
  | ({ readonly kind: "segment"; readonly segment: number } & SegmentPlace)
  | { readonly kind: "bounds"; readonly bounds: readonly RecordedBound[] }
  /** Retention took rows of a table away. */
  | ({ readonly kind: "expire"; readonly id: number } & Expiry)
  /** The log went on without rows for this store; `seriesBytes` as it is stands only in a manifest written anew. */
  | { readonly kind: "advance"; readonly flushedIndex: number; readonly seriesBytes?: number };

const KINDS: readonly Change["kind"][] = [
  "table",
  "drop",
  "flush",
  "masks",
  "remove",
  "compact",
  "segment",
  "bounds",
  "expire",
  "advance",
];

/** A change and where in the file its record is. */
export interface RecordedChange {
  readonly offset: number;
  /** Of the record, its header included. */
  readonly sizeBytes: number;
  readonly change: Change;
}

/** What a manifest file holds. */
export interface ManifestContent {
  readonly sizeBytes: number;
  readonly changes: readonly RecordedChange[];
  /** Where good records end; bytes behind are a torn record that the next opening cuts off. */
  readonly end: number;
}

export class Manifest {
  readonly tables = new Map<number, TableOptions>();
  /** By table: what retention took away. */
  readonly expiries = new Map<number, readonly Expiry[]>();
  /** By their numbers. */
  readonly segments = new Map<number, SegmentPlace>();
  /** Where partitions begin, sorted. */
  bounds: readonly Bound[] = [];
  /** By segment: the number of the mask file that counts for it. */
  readonly maskFiles = new Map<number, number>();
  /** Bytes of the series file that count. */
  seriesBytes = 0;
  /** Log records up to this one are in segments. */
  flushedIndex = 0;
  private largestNumber = 0;
  private lengthBytes = HEADER_BYTES;
  private rewrittenBytes = HEADER_BYTES;
  /** Whether a record that was not acknowledged may be on disk. */
  private isUncertain = false;
  /** Why no more can be appended. */
  private failure: unknown;
  /** The append that runs or ran last: one at a time. */
  private last: Promise<void> = Promise.resolve();

  private constructor(
    private readonly disk: Disk,
    private readonly directory: string,
    private number: number,
    private file: DiskFile,
  ) {}

  /** Opens the manifest of a folder, or makes one. @throws CorruptionError */
  static async open(disk: Disk, directory: string): Promise<Manifest> {
    const currentPath = `${directory}/${CURRENT}`;
    if (!disk.exists(currentPath)) {
      const orphan = disk.list(directory).find((name) => name.endsWith(".seg"));
      if (orphan !== undefined) {
        throw new CorruptionError(currentPath, 0, `it is missing, but there is a segment "${orphan}"`);
      }
      return await Manifest.create(disk, directory);
    }
    const number = readCurrent(disk, currentPath);
    const file = disk.open(`${directory}/${manifestName(number)}`, "write");
    try {
      const manifest = new Manifest(disk, directory, number, file);
      manifest.load();
      return manifest;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  /** The manifest that counts, to look at: nothing is written, a torn tail stays. @throws CorruptionError */
  static read(disk: Disk, directory: string): { readonly manifest: Manifest; readonly path: string } {
    const number = readCurrent(disk, `${directory}/${CURRENT}`);
    const path = `${directory}/${manifestName(number)}`;
    const file = disk.open(path, "read");
    try {
      const manifest = new Manifest(disk, directory, number, file);
      for (const { change } of contentOf(file).changes) manifest.apply(change);
      return { manifest, path };
    } finally {
      file.close();
    }
  }

  private static async create(disk: Disk, directory: string): Promise<Manifest> {
    disk.remove(`${directory}/${manifestName(1)}`);
    const file = await draftManifest(disk, directory, 1, []);
    disk.rename(`${directory}/${CURRENT_DRAFT}`, `${directory}/${CURRENT}`);
    await disk.syncDirectory(directory);
    return new Manifest(disk, directory, 1, file);
  }

  /** Names in the folder that belong to the state of now. */
  ownNames(): Set<string> {
    return new Set([CURRENT, manifestName(this.number)]);
  }

  /** A number that no segment and no mask file has had. */
  nextNumber(): number {
    return ++this.largestNumber;
  }

  /** Makes a change, durable when it resolves; when it rejects, whether it counts shows at the next opening. */
  append(change: Change): Promise<void> {
    const appended = this.last.then(() => this.write(change));
    this.last = appended.catch(() => {});
    return appended;
  }

  /** Makes sure that no change counts at the next opening that was not acknowledged. */
  settle(): Promise<void> {
    const settled = this.last.then(() => this.removeUncertain());
    this.last = settled.catch(() => {});
    return settled;
  }

  private async removeUncertain(): Promise<void> {
    if (!this.isUncertain) return;
    if (this.failure !== undefined) throw this.failure;
    this.file.truncate(this.lengthBytes);
    await this.file.sync();
    this.isUncertain = false;
  }

  close(): void {
    this.file.close();
  }

  private async write(change: Change): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    const out = new ByteWriter();
    writeRecord(change, out);
    // What an earlier failure left behind must not follow this record.
    if (this.file.size() > this.lengthBytes) this.file.truncate(this.lengthBytes);
    this.isUncertain = true;
    this.file.writeAt(out.written(), this.lengthBytes);
    await this.file.sync();
    this.isUncertain = false;
    this.lengthBytes += out.length;
    this.apply(change);
    if (this.lengthBytes >= Math.max(LEAST_REWRITE_BYTES, this.rewrittenBytes * REWRITE_FACTOR)) {
      await this.rewrite();
    }
  }

  /**
   * Writes the state of now into a new manifest and switches to it. Until the switch a failure only puts it off: the old
   * manifest goes on. If the switch itself may get lost in a crash, nothing more is appended: it could land in the wrong
   * one.
   */
  private async rewrite(): Promise<void> {
    const { disk, directory } = this;
    const number = this.number + 1;
    const oldPath = this.file.path;
    let file: DiskFile | undefined;
    try {
      disk.remove(`${directory}/${manifestName(number)}`);
      file = await draftManifest(disk, directory, number, this.changes());
      disk.rename(`${directory}/${CURRENT_DRAFT}`, `${directory}/${CURRENT}`);
    } catch {
      file?.close();
      this.rewrittenBytes = this.lengthBytes;
      return;
    }
    this.file.close();
    this.file = file;
    this.number = number;
    this.lengthBytes = file.size();
    this.rewrittenBytes = this.lengthBytes;
    try {
      await disk.syncDirectory(directory);
      disk.remove(oldPath);
    } catch (error) {
      this.failure = error;
    }
  }

  /** The changes that make the state of now. */
  private changes(): Change[] {
    const { seriesBytes, flushedIndex } = this;
    const changes: Change[] = [];
    for (const [id, options] of this.tables) changes.push({ kind: "table", id, ...options });
    for (const [id, expiries] of this.expiries) {
      for (const expiry of expiries) changes.push({ kind: "expire", id, ...expiry });
    }
    for (const [segment, place] of this.segments) changes.push({ kind: "segment", segment, ...place });
    const segmentsOfFile = Map.groupBy(this.maskFiles.keys(), (segment) => this.maskFiles.get(segment)!);
    for (const [file, segments] of segmentsOfFile) changes.push({ kind: "masks", file, segments });
    if (this.bounds.length > 0) changes.push({ kind: "bounds", bounds: this.bounds.map(recordedBound) });
    changes.push({ kind: "advance", flushedIndex, seriesBytes });
    return changes;
  }

  private load(): void {
    const { changes, end, sizeBytes } = contentOf(this.file);
    for (const { change } of changes) this.apply(change);
    if (end < sizeBytes) this.file.truncate(end);
    this.lengthBytes = end;
  }

  private apply(change: Change): void {
    switch (change.kind) {
      case "table": {
        const { timeField, metaField, spanSeconds } = change;
        this.tables.set(change.id, { timeField, metaField, spanSeconds });
        break;
      }
      case "drop":
        this.tables.delete(change.id);
        this.expiries.delete(change.id);
        break;
      case "expire": {
        const { id, beforeMs, throughSegment } = change;
        // A number is never given again, or rows to come would be taken for these.
        this.noteNumber(throughSegment);
        // The table may have been dropped while the change waited to be written.
        if (!this.tables.has(id)) break;
        this.expiries.set(id, withExpiry(this.expiries.get(id) ?? [], { beforeMs, throughSegment }));
        break;
      }
      case "flush":
        if (change.segment !== undefined) {
          this.addSegment(change.segment, { arrival: change.segment, level: 0 });
        }
        if (change.masks !== undefined) this.setMasks(change.masks);
        this.seriesBytes = change.seriesBytes;
        this.flushedIndex = change.flushedIndex;
        break;
      case "masks":
        this.setMasks(change);
        break;
      case "remove":
        this.removeSegment(change.segment);
        break;
      case "compact":
        this.applyCompact(change);
        break;
      case "segment":
        this.addSegment(change.segment, change);
        break;
      case "bounds":
        this.bounds = changedBounds(this.bounds, [], change.bounds.map(boundOf));
        break;
      case "advance":
        this.flushedIndex = change.flushedIndex;
        this.seriesBytes = change.seriesBytes ?? this.seriesBytes;
    }
  }

  private applyCompact(change: CompactChange): void {
    for (const segment of change.removed) this.removeSegment(segment);
    for (const added of change.added) this.addSegment(added.segment, added);
    if (change.masks !== undefined) this.setMasks(change.masks);
    const [removed, added] = [change.boundsRemoved, change.boundsAdded].map((bounds) => bounds.map(boundOf));
    this.bounds = changedBounds(this.bounds, removed!, added!);
    for (const { id, ...settled } of change.settled) {
      const left = (this.expiries.get(id) ?? []).filter((expiry) => !isSameExpiry(expiry, settled));
      if (left.length > 0) this.expiries.set(id, left);
      else this.expiries.delete(id);
    }
  }

  private addSegment(segment: number, { arrival, level }: SegmentPlace): void {
    this.segments.set(segment, { arrival, level });
    this.noteNumber(segment);
  }

  private removeSegment(segment: number): void {
    this.segments.delete(segment);
    this.maskFiles.delete(segment);
  }

  private setMasks({ file, segments }: MasksOfSegments): void {
    this.noteNumber(file);
    // A segment may have gone while the change waited to be written.
    for (const segment of segments) if (this.segments.has(segment)) this.maskFiles.set(segment, file);
  }

  private noteNumber(number: number): void {
    this.largestNumber = Math.max(this.largestNumber, number);
  }
}

/** All changes of a manifest file, to look at. @throws CorruptionError */
export function readManifestFile(disk: Disk, path: string): ManifestContent {
  const file = disk.open(path, "read");
  try {
    return contentOf(file);
  } finally {
    file.close();
  }
}

function contentOf(file: DiskFile): ManifestContent {
  const bytes = new Uint8Array(file.size());
  file.readAt(bytes, 0);
  checkHeader(file.path, bytes);
  const changes: RecordedChange[] = [];
  let at = HEADER_BYTES;
  for (;;) {
    const content = recordAt(bytes, at);
    if (content === undefined) break;
    const sizeBytes = RECORD_HEADER_BYTES + content.length;
    changes.push({ offset: at, sizeBytes, change: parseChange(file.path, at, content) });
    at += sizeBytes;
  }
  if (at < bytes.length) refuseDamage(file.path, bytes, at);
  return { sizeBytes: bytes.length, changes, end: at };
}

function manifestName(number: number): string {
  return `MANIFEST-${String(number).padStart(6, "0")}`;
}

function readCurrent(disk: Disk, path: string): number {
  const file = disk.open(path, "read");
  const bytes = new Uint8Array(file.size());
  file.readAt(bytes, 0);
  file.close();
  const text = new TextDecoder().decode(bytes);
  const match = /^MANIFEST-(\d+)\n$/.exec(text);
  if (match === null) {
    throw new CorruptionError(path, 0, `it holds ${JSON.stringify(text)}, expected a manifest's name`);
  }
  return Number(match[1]);
}

/** Writes a manifest and, beside CURRENT, a draft that names it; durable, but for the rename of the draft. */
async function draftManifest(
  disk: Disk,
  directory: string,
  number: number,
  changes: readonly Change[],
): Promise<DiskFile> {
  const name = manifestName(number);
  const file = disk.open(`${directory}/${name}`, "create");
  try {
    const out = new ByteWriter();
    out.bytes(MAGIC);
    out.uint32(VERSION);
    out.uint32(crc32(out.written()));
    for (const change of changes) writeRecord(change, out);
    file.writeAt(out.written(), 0);
    await file.sync();
    const draft = `${directory}/${CURRENT_DRAFT}`;
    disk.remove(draft);
    const current = disk.open(draft, "create");
    try {
      current.writeAt(new TextEncoder().encode(`${name}\n`), 0);
      await current.sync();
    } finally {
      current.close();
    }
    // The manifest's name must be there before the one that points to it.
    await disk.syncDirectory(directory);
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

function writeRecord(change: Change, out: ByteWriter): void {
  const content = new TextEncoder().encode(JSON.stringify(change));
  out.uint32(content.length);
  out.uint32(crc32(content));
  out.bytes(content);
}

function checkHeader(path: string, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer);
  if (bytes.length < HEADER_BYTES || !MAGIC.every((byte, i) => bytes[i] === byte)) {
    throw new CorruptionError(path, 0, "this is no manifest");
  }
  if (view.getUint32(12, true) !== crc32(bytes.subarray(0, 12))) {
    throw new CorruptionError(path, 12, "the header's checksum is wrong");
  }
  const version = view.getUint32(8, true);
  if (version !== VERSION) {
    throw new CorruptionError(path, 8, `manifest version ${version}, this program knows ${VERSION}`);
  }
}

/** The content of the good record at `at`, or undefined. */
function recordAt(bytes: Uint8Array, at: number): Uint8Array | undefined {
  if (at + RECORD_HEADER_BYTES > bytes.length) return undefined;
  const view = new DataView(bytes.buffer);
  const end = at + RECORD_HEADER_BYTES + view.getUint32(at, true);
  if (end === at + RECORD_HEADER_BYTES || end > bytes.length) return undefined;
  const content = bytes.subarray(at + RECORD_HEADER_BYTES, end);
  return view.getUint32(at + 4, true) === crc32(content) ? content : undefined;
}

function refuseDamage(path: string, bytes: Uint8Array, at: number): void {
  for (let later = at + 1; later < bytes.length; later++) {
    if (recordAt(bytes, later) === undefined) continue;
    throw new CorruptionError(path, at, `a bad record with a good one behind it, at ${later}`);
  }
}

function parseChange(path: string, at: number, content: Uint8Array): Change {
  const change: unknown = JSON.parse(new TextDecoder().decode(content));
  assert(typeof change === "object" && change !== null && "kind" in change, "a record holds a change");
  const known: readonly string[] = KINDS;
  if (typeof change.kind !== "string" || !known.includes(change.kind)) {
    throw new CorruptionError(path, at, `a change of kind ${JSON.stringify(change.kind)} is not known`);
  }
  // The checksum says that it is what `writeRecord` wrote.
  return change as Change;
}
