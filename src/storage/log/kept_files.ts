/**
 * The files that the log needs no more and that can still be read (docs/format/log.md, Kept files): their order, and
 * which of them has to go. Renaming and removing is for `LogFiles`.
 */
import { CorruptionError } from "../../base/mod.ts";
import type { Disk } from "../../io/mod.ts";
import { type FileStart, readFileStart } from "./file_start.ts";
import { listFiles } from "./log_file.ts";

/** How long files stay after they were cut; the bound that is met first counts. */
export interface LogRetention {
  /** Bytes of all of them. */
  readonly bytes: number;
  /** Milliseconds since the last entry went to a file. */
  readonly ms: number;
}

export interface KeptFile {
  readonly sequence: number;
  readonly sizeBytes: number;
  readonly start: FileStart;
  /** When the next file was begun, in milliseconds since 1970. */
  readonly sealedMs: number;
}

export class KeptFiles {
  /** Oldest first, without a gap. */
  private readonly kept: KeptFile[] = [];
  private keptBytes = 0;

  constructor(private readonly retention: LogRetention) {}

  get files(): readonly KeptFile[] {
    return this.kept;
  }

  get sizeBytes(): number {
    return this.keptBytes;
  }

  /** Takes the file that follows the last one, or is the first. */
  add(file: KeptFile): void {
    this.kept.push(file);
    this.keptBytes += file.sizeBytes;
  }

  removeOldest(): void {
    this.keptBytes -= this.kept.shift()?.sizeBytes ?? 0;
  }

  /** The oldest file when one of the bounds is passed. */
  expired(nowMs: number): KeptFile | undefined {
    const oldest = this.kept[0];
    if (oldest === undefined) return undefined;
    const isTooOld = nowMs - oldest.sealedMs >= this.retention.ms;
    return isTooOld || this.keptBytes > this.retention.bytes ? oldest : undefined;
  }
}

/**
 * Finds the kept files of a log that opens.
 *
 * @param firstSequence of the files that the log needs; undefined where there is none
 * @param first how that file starts
 * @returns those that can be read, oldest first, and the sequences of those that cannot
 */
export function findKeptFiles(
  disk: Disk,
  directory: string,
  firstSequence: number | undefined,
  first: FileStart | undefined,
): { readonly files: readonly KeptFile[]; readonly unreadable: readonly number[] } {
  const files: KeptFile[] = [];
  let next = first;
  for (const sequence of keptRun(disk, directory, firstSequence).reverse()) {
    const found = next === undefined ? undefined : readableStart(disk, directory, sequence);
    if (next === undefined || found?.start === undefined) break;
    const { start, sizeBytes } = found;
    files.unshift({ sequence, sizeBytes, start, sealedMs: next.begunMs });
    next = start;
  }
  const oldest = files[0]?.sequence ?? Infinity;
  return { files, unreadable: listFiles(disk, directory, "kept").filter((sequence) => sequence < oldest) };
}

/**
 * The kept files, by their names, that lead without a gap to the first one that the log needs.
 *
 * @returns sequences, ascending
 */
export function keptRun(disk: Disk, directory: string, firstSequence: number | undefined): number[] {
  const there = listFiles(disk, directory, "kept");
  const run: number[] = [];
  for (let sequence = firstSequence ?? 0; there.includes(--sequence);) run.unshift(sequence);
  return run;
}

/** Undefined where it is damaged: nobody needs it, so it ends what can be read instead of what can be opened. */
function readableStart(disk: Disk, directory: string, sequence: number) {
  try {
    return readFileStart(disk, directory, sequence, "kept");
  } catch (error) {
    if (error instanceof CorruptionError) return undefined;
    throw error;
  }
}
