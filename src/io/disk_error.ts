/** The errors of a disk, as the operating system words them: their `code` tells callers what happened, on every twin. */

export type DiskErrorCode = keyof typeof ERROR_TEXTS;

/** An error like the operating system's. */
export function diskError(code: DiskErrorCode, operation: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${ERROR_TEXTS[code]}, ${operation} '${path}'`), { code });
}

/** Whether a call failed because there is no room: nothing is broken, and it works again once there is. */
export function isDiskFull(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ENOSPC" || code === "EDQUOT";
}

const ERROR_TEXTS = {
  EIO: "input/output error",
  ENOSPC: "no space left on device",
  ENOENT: "no such file or directory",
  EEXIST: "file already exists",
} as const;
