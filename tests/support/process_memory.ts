/** What a process takes of memory, as Linux tells it. */
export interface ProcessMemory {
  readonly residentBytes: number;
  /** The most that was resident since the process started. */
  readonly peakBytes: number;
}

/** @throws Deno.errors.NotFound where there is no /proc, or no such process */
export function memoryOf(pid: number): ProcessMemory {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return {
    residentBytes: kilobytesIn(status, "VmRSS") * 1024,
    peakBytes: kilobytesIn(status, "VmHWM") * 1024,
  };
}

function kilobytesIn(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(status)?.[1]);
}
