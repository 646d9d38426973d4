/**
 * Facts about the machine, for `hostInfo`. Only what can be known without the right to ask the system (Deno's `sys`,
 * which the sandbox does not have): the rest says that it is unknown, with 0 for sizes. Read at start-up: the server's
 * Worker cannot read these files.
 */

/** Plain values: they cross to the server's Worker. */
export interface Host {
  readonly hostname: string;
  readonly cpuCores: number;
  /** As MongoDB names it: `x86_64`, `aarch64`. */
  readonly cpuArch: string;
  /** 0: unknown. */
  readonly memoryBytes: number;
  /** `Linux`, `Darwin`, `Windows`. */
  readonly osType: string;
  readonly osName: string;
  readonly osVersion: string;
}

const OS_TYPES: Readonly<Record<string, string>> = { linux: "Linux", darwin: "Darwin", windows: "Windows" };

/** @param readTextFile a file's text; undefined when it is not there or must not be read */
export function readHost(readTextFile: (path: string) => string | undefined): Host {
  const osType = OS_TYPES[Deno.build.os] ?? Deno.build.os;
  const release = parseOsRelease(readTextFile("/etc/os-release") ?? "");
  return {
    hostname: readTextFile("/etc/hostname")?.trim() || "localhost",
    cpuCores: navigator.hardwareConcurrency,
    cpuArch: Deno.build.arch,
    memoryBytes: 0,
    osType,
    osName: release.get("PRETTY_NAME") ?? osType,
    osVersion: release.get("VERSION_ID") ?? "unknown",
  };
}

/** Reads `NAME=value` and `NAME="value"` lines (os-release(5)). */
function parseOsRelease(text: string): Map<string, string> {
  const pairs = Array.from(text.matchAll(/^([A-Z_]+)=(?:"([^"]*)"|(.*))$/gm));
  return new Map(pairs.map(([, name, quoted, bare]) => [name ?? "", quoted ?? bare ?? ""]));
}
