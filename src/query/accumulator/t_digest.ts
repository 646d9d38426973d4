/**
 * Percentiles in bounded memory: the merging t-digest (T. Dunning and O. Ertl, "Computing Extremely Accurate Quantiles
 * Using t-Digests", 2019, algorithm 1, with the scale function k1). Numbers become centroids of a mean and a weight,
 * sorted; a centroid may span no more than one unit of k1(q) = δ/2π · asin(2q − 1), so that those at the ends stay small.
 * As long as there are few numbers each is its own centroid and percentiles are exact.
 */

/** δ: about as many centroids are held. MongoDB's `internalQueryTdigestDelta`. */
const DELTA = 2000;
/** Numbers that wait to be merged in. */
const BUFFER_SIZE = 5 * DELTA;

export class TDigest {
  private means: number[] = [];
  private weights: number[] = [];
  private merged = 0;
  private waiting: number[] = [];
  private negativeInfinities = 0;
  private infinities = 0;
  private least = Infinity;
  private most = -Infinity;

  /** NaN is left out. */
  add(x: number): void {
    if (Number.isNaN(x)) return;
    if (x === Infinity) this.infinities++;
    else if (x === -Infinity) this.negativeInfinities++;
    else {
      if (x < this.least) this.least = x;
      if (x > this.most) this.most = x;
      this.waiting.push(x);
      if (this.waiting.length >= BUFFER_SIZE) this.compress([], []);
    }
  }

  /** Bytes of centroids and of what waits. */
  get sizeBytes(): number {
    return 8 * (2 * this.means.length + this.waiting.length);
  }

  /** All numbers that it took. */
  get count(): number {
    return this.merged + this.waiting.length + this.infinities + this.negativeInfinities;
  }

  /**
   * The number below or at which a share `p` of all numbers lies; undefined when there are none.
   *
   * @param p in [0, 1]
   */
  percentile(p: number): number | undefined {
    const { count } = this;
    if (count === 0) return undefined;
    this.compress([], []);
    let rank = p >= 1 ? count - 1 : Math.max(0, Math.ceil(count * p) - 1);
    if (rank < this.negativeInfinities) return -Infinity;
    rank -= this.negativeInfinities;
    if (rank >= this.merged) return Infinity;
    return this.at(rank);
  }

  /** The number of a rank, counted from 0, among the finite ones. */
  private at(rank: number): number {
    if (rank === 0) return this.least;
    if (rank === this.merged - 1) return this.most;
    let before = 0;
    for (let i = 0; i < this.means.length; i++) {
      const weight = this.weights[i]!;
      if (rank < before + weight) return weight === 1 ? this.means[i]! : this.between(i, rank - before);
      before += weight;
    }
    return this.most;
  }

  /** Within a centroid numbers are taken to lie evenly between the middles to its neighbours. */
  private between(i: number, rank: number): number {
    const mean = this.means[i]!;
    const low = i === 0 ? this.least : (this.means[i - 1]! + mean) / 2;
    const high = i === this.means.length - 1 ? this.most : (mean + this.means[i + 1]!) / 2;
    return low + (high - low) * ((rank + 0.5) / this.weights[i]!);
  }

  /** All it holds, as numbers that travel. */
  state(): readonly number[] {
    this.compress([], []);
    const { negativeInfinities, infinities, least, most, means, weights } = this;
    return [negativeInfinities, infinities, least, most, ...means, ...weights];
  }

  /** Takes what another one holds: its `state`. */
  mergeState([negativeInfinities, infinities, least, most, ...centroids]: readonly number[]): void {
    this.negativeInfinities += negativeInfinities!;
    this.infinities += infinities!;
    this.least = Math.min(this.least, least!);
    this.most = Math.max(this.most, most!);
    const half = centroids.length / 2;
    this.compress(centroids.slice(0, half), centroids.slice(half));
  }

  /** Merges what waits, and further centroids, into those that are held. */
  private compress(means: readonly number[], weights: readonly number[]): void {
    if (this.waiting.length === 0 && means.length === 0) return;
    const all = [
      ...this.means.map((mean, i) => ({ mean, weight: this.weights[i]! })),
      ...means.map((mean, i) => ({ mean, weight: weights[i]! })),
      ...this.waiting.map((mean) => ({ mean, weight: 1 })),
    ].sort((a, b) => a.mean - b.mean);
    const total = all.reduce((sum, { weight }) => sum + weight, 0);
    this.waiting = [];
    this.means = [];
    this.weights = [];
    this.merged = total;
    let before = 0;
    let mean = all[0]!.mean;
    let weight = all[0]!.weight;
    for (let i = 1; i < all.length; i++) {
      const next = all[i]!;
      if (span(before / total, (before + weight + next.weight) / total) <= 1) {
        weight += next.weight;
        mean += (next.mean - mean) * next.weight / weight;
        continue;
      }
      this.push(mean, weight);
      before += weight;
      ({ mean, weight } = next);
    }
    this.push(mean, weight);
  }

  private push(mean: number, weight: number): void {
    this.means.push(mean);
    this.weights.push(weight);
  }
}

/** Units of k1 between two shares. */
function span(from: number, to: number): number {
  return DELTA / (2 * Math.PI) * (Math.asin(2 * Math.min(to, 1) - 1) - Math.asin(2 * from - 1));
}
