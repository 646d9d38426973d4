/**
 * Paths of a disk: relative to its root, parts joined by `/`, no part empty, `.` or `..`. The root itself is `""`.
 * Checked at the port, so that no twin can leave its root.
 */
import { assert } from "../base/mod.ts";

/** @throws AssertionError when `path` could leave the disk's root or names a place in two ways */
export function checkPath(path: string): void {
  if (path === "") return;
  const clean = path.split("/").every((part) => part !== "" && part !== "." && part !== "..");
  assert(clean, `"${path}" is a clean path relative to the disk's root`);
}

/** The folder a path lies in; `""` is the root. */
export function parentPath(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "" : path.slice(0, slash);
}
