/** What a fragment holds while it runs: its groups and the values that their outputs keep. */
import type { Accumulator } from "../accumulator/accumulator.ts";
import { MemoryMeter, type QueryMemory } from "../memory.ts";

/** The stage on rows has to answer: with its way of saving memory, or because it sees rows in another order. */
export class BetterOnRows extends Error {}

export class FragmentMemory {
  private readonly meter: MemoryMeter;

  constructor(memory: QueryMemory | undefined) {
    this.meter = new MemoryMeter("a fragment's groups are left to its stage", memory);
  }

  /** @throws BetterOnRows when that is more than a stage may hold */
  add(bytes: number): void {
    if (!this.meter.tryAdd(bytes)) throw new BetterOnRows();
  }

  /** Nothing is held any more. */
  release(): void {
    this.meter.reset();
  }

  /** An accumulator whose values are counted, where it keeps any. */
  counted(accumulator: Accumulator): Pick<Accumulator, "add" | "merge" | "partial" | "result"> {
    if (accumulator.keptBytes === undefined) return accumulator;
    const count = (change: () => void) => {
      const before = accumulator.keptBytes!;
      change();
      this.add(accumulator.keptBytes! - before);
    };
    return {
      add: (value) => count(() => accumulator.add(value)),
      merge: (partial) => count(() => accumulator.merge(partial)),
      partial: () => accumulator.partial(),
      result: () => accumulator.result(),
    };
  }
}
