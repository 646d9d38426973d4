/** Checks the files of the log that are needed no more and kept for those who read them. */
import type { Disk } from "../io/mod.ts";
import { keptRun, listLogFiles, logPath, replayKept } from "../storage/mod.ts";
import { attempt, type CheckListener, counted } from "./check_report.ts";

/** Every record of them, and that each begins where the one before it ends. */
export async function checkKeptFiles(disk: Disk, directory: string, listener: CheckListener): Promise<void> {
  const run = keptRun(disk, directory, listLogFiles(disk, directory, "log")[0]);
  for (const sequence of listLogFiles(disk, directory, "kept")) {
    const path = logPath(directory, sequence, "kept");
    if (!run.includes(sequence)) {
      listener.onNote(path, "left over, to be removed at the next start");
      continue;
    }
    let entries = 0;
    const nextRole = sequence === run.at(-1) ? "log" : "kept";
    const read = await attempt(listener, path, () =>
      replayKept(disk, directory, sequence, nextRole, () => {
        entries++;
      }));
    if (read === undefined) continue;
    const holds = `${counted(entries, "entry", "entries")} in ${counted(read.end, "byte")} of ${
      counted(read.sizeBytes, "byte")
    }`;
    listener.onFile(path, `${holds}, kept for readers`);
  }
}
