/** What a check of a data folder found, as it goes: a line for each file, a line for each thing that is wrong. */
import { CorruptionError } from "../base/mod.ts";

/** Told what a check finds. */
export interface CheckListener {
  /** A file was read; `holds` says what is in it. */
  onFile(path: string, holds: string): void;
  /** Something is wrong at a place of a file. */
  onProblem(path: string, offset: number, reason: string): void;
  /** Nothing is wrong, but somebody who looks closely will want to know. */
  onNote(path: string, text: string): void;
}

/** Runs a part of a check; what it throws is a problem of `path`. @returns undefined when it threw */
export async function attempt<T>(
  listener: CheckListener,
  path: string,
  run: () => T | Promise<T>,
): Promise<T | undefined> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof CorruptionError) {
      // A library knows the file by another path; ours is the one below the data folder.
      listener.onProblem(error.path.startsWith("/") ? path : error.path, error.offset, error.reason);
    } else {
      listener.onProblem(path, 0, error instanceof Error ? error.message : String(error));
    }
    return undefined;
  }
}

/** `1 row`, `12,000 rows`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count.toLocaleString("en-US")} ${count === 1 ? noun : plural}`;
}
