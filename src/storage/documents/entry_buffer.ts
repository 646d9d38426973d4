/** What writes that are committed together did, as entries of the log. */
import type { DoneStatements } from "./done_statements.ts";
import { decodeEffects, type Effect, EffectBuffer } from "./effect.ts";

/** What becomes one entry of the log. */
export interface StoreEntry {
  /** The entry's payload in parts. */
  readonly effects: readonly Uint8Array[];
  /** The statements of sessions that it carries out. */
  readonly done: readonly DoneStatements[];
}

export class EntryBuffer {
  private readonly entries: StoreEntry[];
  private entriesBytes: number;
  /** Of the entry that has not ended. */
  private effects = new EffectBuffer();
  private done: DoneStatements[] = [];

  /** @param ended entries to begin with */
  constructor(ended: readonly StoreEntry[] = []) {
    this.entries = [...ended];
    this.entriesBytes = ended.flatMap(({ effects }) => effects).reduce((sum, { length }) => sum + length, 0);
  }

  /** Bytes of all effects. */
  get sizeBytes(): number {
    return this.entriesBytes + this.effects.sizeBytes;
  }

  /** The entries that have ended, in order. */
  get ended(): readonly StoreEntry[] {
    return this.entries;
  }

  /** Copies an effect. */
  add(effect: Effect): void {
    this.effects.add(effect);
  }

  noteDone(done: DoneStatements): void {
    this.done.push(done);
  }

  /** Ends an entry. @returns whether there is one; nothing ends that has no effects */
  end(): boolean {
    const { effects, done } = this;
    if (effects.sizeBytes === 0) return false;
    this.entries.push({ effects: effects.parts(), done });
    this.entriesBytes += effects.sizeBytes;
    this.forgetLast();
    return true;
  }

  /** Forgets the entry that has not ended. */
  forgetLast(): void {
    this.effects = new EffectBuffer();
    this.done = [];
  }
}

export function effectsOf({ effects }: StoreEntry): readonly Effect[] {
  return effects.flatMap(decodeEffects);
}
