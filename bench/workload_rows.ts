/** The rows of the workload for peers that want them as text: in the same order, without ids. */
import { deserialize } from "bson";
import { CpuWorkload, METRICS } from "../tests/data/cpu_workload.ts";

/** Names of the ten tags, as the workload has them. */
export type Tags = Readonly<Record<string, string>>;

/** The tags of each host, by its place. */
export function tagsOfHosts(workload: CpuWorkload): Tags[] {
  const { hosts } = workload.shape;
  const { bytes } = new CpuWorkload(workload.shape).next(hosts);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const tags: Tags[] = [];
  for (let at = 0; at < bytes.length; at += view.getInt32(at, true)) {
    tags.push(deserialize(bytes.subarray(at, at + view.getInt32(at, true)))["tags"]);
  }
  return tags;
}

/**
 * The next rows as text.
 *
 * @param line of a row: its host's place, its time in milliseconds and its ten values
 */
export function nextLines(
  workload: CpuWorkload,
  count: number,
  line: (host: number, timeMs: number, values: Int32Array) => string,
): string {
  let text = "";
  for (let i = 0; i < count; i++) {
    const row = workload.rowCount;
    const host = row % workload.shape.hosts;
    workload.advanceTo(row + 1);
    const first = host * METRICS.length;
    text += line(host, workload.timeOf(row), workload.values.subarray(first, first + METRICS.length));
  }
  return text;
}
