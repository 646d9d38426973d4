/** The rows of a window that slides: which come in at one end and which go out at the other. */
export class SlidingRows {
  private from = 0;
  private to = 0;

  /** Both get a row's place. */
  constructor(private readonly add: (row: number) => void, private readonly remove: (row: number) => void) {}

  /**
   * Moves to the window of the rows `from` to `to`, the latter left out. Neither may decrease. New rows come in before old ones
   * go, as in MongoDB. So rows between two windows come in and go out; behind an empty window they are passed over.
   */
  moveTo(from: number, to: number): void {
    if (this.from === this.to) this.from = this.to = from;
    for (; this.to < to; this.to++) this.add(this.to);
    for (; this.from < from; this.from++) this.remove(this.from);
  }
}
