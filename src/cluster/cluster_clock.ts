/**
 * Cluster time: a hybrid logical clock. Every entry of the log has one, later than those of all entries before; clients
 * carry the latest that they have seen from node to node, and so the clocks never show one that was used already.
 *
 *     seconds since 1970, upper 32 bits | a counter within the second, lower 32 bits
 *
 * The counter jumps ahead with each millisecond, so that an entry's time says when it was made as exactly as a wall clock
 * does.
 *
 * (S. Kulkarni, M. Demirbas et al., "Logical Physical Clocks", 2014; one counter stands for both of its logical parts.)
 */
import type { Clock } from "../io/mod.ts";

const MS_PER_SECOND = 1000;
/** How far the counter moves in a millisecond: entries of one millisecond are fewer. */
const COUNTS_PER_MS = 4_000_000;

/** What commands may ask of cluster time. */
export interface ClusterTime {
  /** The latest time that is known here. */
  readonly latest: bigint;
  /** The time of the latest entry that everyone can read, or of a read after it. */
  readonly operationTime: bigint;
  /** A node or a client has seen this time. */
  advance(time: bigint): void;
  /** A read promises to show all up to this time, which is known here: on one node it does. */
  readUpTo(time: bigint): void;
}

interface EntryOptions {
  readonly onDurable?: (index: number) => void;
}

export class ClusterClock implements ClusterTime {
  private last: bigint;
  private applied: bigint;

  constructor(private readonly clock: Clock) {
    this.last = this.applied = this.wallTime();
  }

  get latest(): bigint {
    return this.last;
  }

  get operationTime(): bigint {
    return this.applied;
  }

  /** The time of a new entry. */
  tick(): bigint {
    const wall = this.wallTime();
    this.last = wall > this.last ? wall : this.last + 1n;
    return this.last;
  }

  advance(time: bigint): void {
    if (time > this.last) this.last = time;
  }

  /** Gives an entry the next time, which is the operation time once the entry is durable. */
  stamp<Options extends EntryOptions>(options: Options): Options & { readonly clusterTime: bigint } {
    const clusterTime = this.tick();
    const { onDurable } = options;
    return {
      ...options,
      clusterTime,
      onDurable: (index) => {
        onDurable?.(index);
        this.noteApplied(clusterTime);
      },
    };
  }

  /** An entry is applied. */
  noteApplied(time: bigint): void {
    this.advance(time);
    if (time > this.applied) this.applied = time;
  }

  readUpTo(time: bigint): void {
    this.noteApplied(time);
  }

  /** The first time of this millisecond. */
  private wallTime(): bigint {
    const ms = Math.floor(this.clock.nowMs());
    const seconds = Math.floor(ms / MS_PER_SECOND);
    return timeOf(seconds, (ms - seconds * MS_PER_SECOND) * COUNTS_PER_MS + 1);
  }
}

/** @param increment counts within the second, from 1 */
export function timeOf(seconds: number, increment: number): bigint {
  return BigInt.asUintN(64, (BigInt(seconds) << 32n) | BigInt(increment));
}

/** When an entry of that time was made by the wall clock, in milliseconds since 1970. */
export function wallMsOf(time: bigint): number {
  return secondsOf(time) * MS_PER_SECOND + Math.floor(Number(time & 0xffffffffn) / COUNTS_PER_MS);
}

export function secondsOf(time: bigint): number {
  return Number(time >> 32n);
}
