/** The mask files of a store: which are there, and which the manifest still counts. */
import type { Disk } from "../../io/mod.ts";
import type { Manifest, MasksOfSegments } from "./manifest.ts";
import { maskFileName, readMaskFile, type SegmentMasks, writeMaskFile } from "./mask_file.ts";
import type { RowMask } from "./row_mask.ts";
import type { TableEntry } from "./segment_format.ts";

export class MaskFiles {
  /**
   * Numbers of those that the manifest counts or has counted. A file whose record was not written, or of which that is not
   * known, stays until the next opening: the record may be on disk.
   */
  private readonly files: Set<number>;

  constructor(
    private readonly disk: Disk,
    private readonly directory: string,
    private readonly manifest: Manifest,
  ) {
    this.files = new Set(manifest.maskFiles.values());
  }

  names(): string[] {
    return [...this.files].map(maskFileName);
  }

  /** The manifest counts a file from now on. */
  noteCounted(masks: MasksOfSegments | undefined): void {
    if (masks !== undefined) this.files.add(masks.file);
  }

  /** By segment: the masks that the manifest counts. @throws CorruptionError */
  read(): ReadonlyMap<number, SegmentMasks> {
    const contents = new Map(
      [...this.files].map((file) => [file, readMaskFile(this.disk, this.pathOf(file))]),
    );
    const masks = new Map<number, SegmentMasks>();
    for (const [segment, file] of this.manifest.maskFiles) {
      const own = contents.get(file)?.get(segment);
      if (own !== undefined) masks.set(segment, own);
    }
    return masks;
  }

  /** Writes masks into a file, for the manifest to name; undefined when there are none. @param masks by segment */
  async write(masks: ReadonlyMap<number, SegmentMasks>): Promise<MasksOfSegments | undefined> {
    if (masks.size === 0) return undefined;
    const file = this.manifest.nextNumber();
    await writeMaskFile(this.disk, this.pathOf(file), masks);
    await this.disk.syncDirectory(this.directory);
    return { file, segments: [...masks.keys()] };
  }

  /** Removes what the manifest does not count any more; what cannot be removed now is removed at the next opening. */
  removeUnused(onFailure: (error: unknown) => void): void {
    const used = new Set(this.manifest.maskFiles.values());
    for (const file of this.files) {
      if (used.has(file)) continue;
      this.files.delete(file);
      try {
        this.disk.remove(this.pathOf(file));
      } catch (error) {
        onFailure(error);
      }
    }
  }

  private pathOf(file: number): string {
    return `${this.directory}/${maskFileName(file)}`;
  }
}

/** Of the masks of a segment those of one of its tables. */
export function masksOfTable(masks: SegmentMasks | undefined, { groups }: TableEntry): SegmentMasks {
  const own = new Map<number, RowMask>();
  if (masks === undefined) return own;
  for (const { offset } of groups) {
    const mask = masks.get(offset);
    if (mask !== undefined) own.set(offset, mask);
  }
  return own;
}
