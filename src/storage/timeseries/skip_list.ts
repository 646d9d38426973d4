/**
 * A skip list (Pugh, CACM 1990) of late rows, ordered by (series, time, ordinal), in typed arrays: no object a node.
 *
 *     node n      series[n], times[n], ordinals[n], height[n] ≥ 1
 *     links       next[tower[n] + level]: the node after n at that level, 0 for none; previous[n] at level 0
 *     node 0      the head: before all, as high as can be
 *
 * A level is reached by a quarter of the nodes below it, so an insertion looks at some 4 · log₄ n nodes wherever the row
 * falls. Links only ever change to include more, so a reader that stands on a node can go on after insertions.
 */
import { grownInt32, type MemoryAccount } from "../../column/mod.ts";

const MAX_HEIGHT = 16;
const INITIAL_NODES = 16;
/** What an empty list has: the head, without a link. One for all, for most tables never see a late row. */
const ONLY_HEAD: Int32Array = new Int32Array(1);
const ONLY_HEAD_TIMES = new Float64Array(1);
const NO_LINKS: Int32Array = new Int32Array(MAX_HEIGHT);
/** The node before the searched place, at each level; used within one insertion. */
const PATH = new Int32Array(MAX_HEIGHT);
/** The end of the list, and what stands before its first node. */
export const NO_NODE = 0;

export class SkipList {
  /** Nodes without the head. */
  length = 0;
  private series = ONLY_HEAD;
  private times = ONLY_HEAD_TIMES;
  private ordinals = ONLY_HEAD;
  private towers = ONLY_HEAD;
  private previous = ONLY_HEAD;
  private next = NO_LINKS;
  private linksUsed = MAX_HEIGHT;
  private height = 1;
  private last = NO_NODE;
  private randomState = 0x9e3779b9;

  constructor(private readonly account: MemoryAccount) {}

  seriesOf(node: number): number {
    return this.series[node]!;
  }

  timeOf(node: number): number {
    return this.times[node]!;
  }

  ordinalOf(node: number): number {
    return this.ordinals[node]!;
  }

  /** The node after, or `NO_NODE`; the first one after `NO_NODE`. */
  after(node: number): number {
    return this.next[this.towers[node]!]!;
  }

  /** The node before, or `NO_NODE`; the last one before `NO_NODE`. */
  before(node: number): number {
    return node === NO_NODE ? this.last : this.previous[node]!;
  }

  /** The first node at or after (series, time, ordinal), or `NO_NODE`. */
  seek(series: number, time: number, ordinal: number): number {
    return this.after(this.descend(series, time, ordinal));
  }

  /** Adds a row; no other has the same ordinal. */
  insert(series: number, time: number, ordinal: number): void {
    const before = this.descend(series, time, ordinal);
    const node = ++this.length;
    if (node === this.times.length) this.growNodes();
    this.series[node] = series;
    this.times[node] = time;
    this.ordinals[node] = ordinal;
    const height = this.randomHeight();
    for (; this.height < height; this.height++) PATH[this.height] = NO_NODE;
    if (this.linksUsed + height > this.next.length) this.growLinks();
    const tower = this.linksUsed;
    this.towers[node] = tower;
    this.linksUsed += height;
    for (let level = 0; level < height; level++) {
      const link = this.towers[PATH[level]!]! + level;
      this.next[tower + level] = this.next[link]!;
      this.next[link] = node;
    }
    this.previous[node] = before;
    const after = this.next[tower]!;
    if (after === NO_NODE) this.last = node;
    else this.previous[after] = node;
  }

  /** The last node before (series, time, ordinal); fills `PATH`. */
  private descend(series: number, time: number, ordinal: number): number {
    const { next, towers } = this;
    let node = NO_NODE;
    for (let level = this.height - 1; level >= 0; level--) {
      for (;;) {
        const candidate = next[towers[node]! + level]!;
        if (candidate === NO_NODE || !this.isBefore(candidate, series, time, ordinal)) break;
        node = candidate;
      }
      PATH[level] = node;
    }
    return node;
  }

  private isBefore(node: number, series: number, time: number, ordinal: number): boolean {
    if (this.series[node]! !== series) return this.series[node]! < series;
    if (this.times[node]! !== time) return this.times[node]! < time;
    return this.ordinals[node]! < ordinal;
  }

  /** 1, and one more for each pair of random bits (xorshift32) that is zero. */
  private randomHeight(): number {
    let state = this.randomState;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.randomState = state;
    let height = 1;
    for (; height < MAX_HEIGHT && (state & 3) === 0; state >>>= 2) height++;
    return height;
  }

  private growNodes(): void {
    this.account.bytes -= this.memoryBytes;
    const nodes = Math.max(INITIAL_NODES, this.times.length * 2);
    this.series = grownInt32(this.series, nodes);
    this.ordinals = grownInt32(this.ordinals, nodes);
    this.towers = grownInt32(this.towers, nodes);
    this.previous = grownInt32(this.previous, nodes);
    const times = new Float64Array(nodes);
    times.set(this.times);
    this.times = times;
    this.account.bytes += this.memoryBytes;
  }

  private growLinks(): void {
    this.account.bytes -= this.memoryBytes;
    this.next = grownInt32(this.next, this.next.length * 2);
    this.account.bytes += this.memoryBytes;
  }

  private get memoryBytes(): number {
    return this.times.byteLength + this.next.byteLength + 4 * this.series.byteLength;
  }
}
