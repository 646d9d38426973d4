/** The port to what the process itself takes. The real twin asks the system and V8, the simulated one is told. */

export interface MemoryFigures {
  /** Memory of the process that is in RAM (RSS). */
  readonly residentBytes: number;
  /** What the JavaScript heap of this isolate holds or has not collected yet. */
  readonly heapBytes: number;
  /** Buffers outside of the JavaScript heap that this isolate holds or has not collected yet. */
  readonly bufferBytes: number;
}

export interface ProcessMemory {
  /** Takes some 15 µs. */
  look(): MemoryFigures;
  /** Collects young garbage, buffers among it; about a millisecond. */
  collectYoung(): void;
  /** Collects all garbage; tens of milliseconds. */
  collectAll(): void;
}

/** Set by V8's flag `--expose-gc`, which `deno task start` gives; without it V8 collects when it sees fit. */
type Collector = (options?: { readonly type: "minor" | "major" }) => void;

export class DenoMemory implements ProcessMemory {
  private readonly collect = (globalThis as { readonly gc?: Collector }).gc ?? (() => {});

  look(): MemoryFigures {
    const { rss, heapUsed, external } = Deno.memoryUsage();
    return { residentBytes: rss, heapBytes: heapUsed, bufferBytes: external };
  }

  collectYoung(): void {
    this.collect({ type: "minor" });
  }

  collectAll(): void {
    this.collect({ type: "major" });
  }
}

/** Memory that takes what its test says. */
export class SimulatedMemory implements ProcessMemory {
  youngCollections = 0;
  fullCollections = 0;

  /**
   * @param residentBytes of the process, garbage included
   * @param garbageBytes what any collection gives back
   * @param oldGarbageBytes what a full one gives back beside
   */
  constructor(public residentBytes: number, public garbageBytes = 0, public oldGarbageBytes = 0) {}

  look(): MemoryFigures {
    return { residentBytes: this.residentBytes, heapBytes: 0, bufferBytes: this.residentBytes };
  }

  collectYoung(): void {
    this.youngCollections++;
    this.dropGarbage();
  }

  collectAll(): void {
    this.fullCollections++;
    this.dropGarbage();
    this.residentBytes -= this.oldGarbageBytes;
    this.oldGarbageBytes = 0;
  }

  private dropGarbage(): void {
    this.residentBytes -= this.garbageBytes;
    this.garbageBytes = 0;
  }
}
