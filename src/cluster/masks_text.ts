/** What a mask file holds, in one line. */
import type { SegmentMasks } from "../storage/mod.ts";
import { counted } from "./check_report.ts";

/** @param segments by number */
export function masksText(segments: ReadonlyMap<number, SegmentMasks>): string {
  let rows = 0;
  let groups = 0;
  for (const masks of segments.values()) {
    groups += masks.size;
    for (const mask of masks.values()) rows += mask.count;
  }
  return `${counted(rows, "row")} gone of ${counted(groups, "row group")} in ${
    counted(segments.size, "segment")
  }`;
}
