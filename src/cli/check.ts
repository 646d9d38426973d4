/** `chronogo check DIR`: see docs/tools.md. */
import { checkDataFolder, counted } from "../cluster/mod.ts";
import { DenoDisk } from "../io/mod.ts";
import { firstLine } from "./listen.ts";
import { usageError } from "./start_error.ts";

/**
 * Checks a data folder and prints what it finds.
 *
 * @returns the exit code: 0 or 1
 * @throws StartError (2) when there is no such folder or a server runs on it
 */
export async function runCheck(path: string, print: (line: string) => void): Promise<number> {
  const directory = existingFolder(path);
  const release = holdLock(directory, path);
  try {
    let problems = 0;
    let files = 0;
    const summary = await checkDataFolder(new DenoDisk(directory), {
      onFile(file, holds) {
        files++;
        print(`${file}: ${holds}`);
      },
      onProblem(file, offset, reason) {
        problems++;
        print(`${file}: at byte ${offset}: ${firstLine(reason)}`);
      },
      onNote: (file, text) => print(`${file}: note: ${text}`),
    }, (paths, use) => withCopy(directory, paths, use));
    const holds = [
      counted(files, "file"),
      counted(summary.collections, "collection"),
      counted(summary.series, "series", "series"),
      `${counted(summary.rows, "row")} in segments`,
      counted(summary.documents, "document"),
      counted(summary.entries, "log entry", "log entries"),
    ];
    print(`${problems === 0 ? "no problems" : counted(problems, "problem")}: ${holds.join(", ")}`);
    return problems === 0 ? 0 : 1;
  } finally {
    release();
  }
}

function existingFolder(path: string): string {
  try {
    const real = Deno.realPathSync(path);
    if (Deno.statSync(real).isDirectory) return real;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw usageError(`cannot check ${path}: there is no such folder`);
    }
    throw usageError(`cannot check ${path}: ${error instanceof Error ? firstLine(error.message) : error}`);
  }
  throw usageError(`cannot check ${path}: it is no folder`);
}

/** Copies go to the system's folder for temporary files. */
function withCopy<T>(directory: string, paths: readonly string[], use: (path: string) => T): T {
  const copies = Deno.makeTempDirSync({ prefix: "chronogo-check-" });
  try {
    const [first] = paths.map((path) => {
      const copy = `${copies}/${path.slice(path.lastIndexOf("/") + 1)}`;
      if (isThere(`${directory}/${path}`)) Deno.copyFileSync(`${directory}/${path}`, copy);
      return copy;
    });
    return use(first ?? copies);
  } finally {
    Deno.removeSync(copies, { recursive: true });
  }
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Keeps servers away while the check runs. The file is opened to be read only: a check writes nothing. */
function holdLock(directory: string, path: string): () => void {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(`${directory}/lock`, { read: true });
  } catch (error) {
    // No server ever ran here, or the folder is a copy.
    if (error instanceof Deno.errors.NotFound) return () => {};
    throw usageError(`cannot check ${path}: ${error instanceof Error ? firstLine(error.message) : error}`);
  }
  if (file.tryLockSync(true)) return () => file.close();
  file.close();
  throw usageError(`cannot check ${path}: a server runs on it; stop it, or check a copy of the folder`);
}
