/**
 * How much a search may take. When it has taken many steps, places at which paths meet are remembered with their positions,
 * one bit each: the second visit would fail as the first did. (Where what follows depends on place and position alone; a
 * program's `memoCount` tells.) With that a search takes time in proportion to program × text. The steps are bounded all the
 * same, since not every pattern allows it.
 */
import { MAX_PATTERN_WAYS } from "../../base/mod.ts";
import { visitBits, Visits } from "./visits.ts";

/** Steps after which visits are remembered. */
export const STEPS_BEFORE_MEMO = 20_000;

/** Characters of a run that count as a step. */
const RUN_STEP_SHIFT = 4;

/** A search that was given up. */
export class PatternLimitError extends Error {
  constructor(
    /** PCRE's number for what was reached: -8 steps, -21 depth. */
    readonly resultCode: number,
  ) {
    super("the pattern takes too many steps");
  }
}

export class SearchBudget {
  visited: Visits | undefined;
  /** That are left. */
  private steps = 0;
  /** Ways that ended since the search began at this start, and how many may. */
  private waysBack = 0;
  private waysLimit = MAX_PATTERN_WAYS;
  private memoFrom = 0;
  private text = "";

  constructor(
    private readonly memoCount: number,
    private readonly stepLimit: number,
    private readonly stepsBeforeMemo: number,
  ) {}

  begin(text: string): void {
    this.text = text;
    this.steps = this.stepLimit;
    this.waysLimit = MAX_PATTERN_WAYS;
    this.memoFrom = this.memoCount > 0 ? this.stepLimit - this.stepsBeforeMemo : -1;
    this.visited = undefined;
  }

  beginStart(): void {
    this.waysBack = 0;
  }

  end(): void {
    this.visited = undefined;
    this.text = "";
  }

  get stepsTaken(): number {
    return this.stepLimit - this.steps;
  }

  /** A run of so many characters was gone through. */
  takeRun(length: number): void {
    this.steps -= length >> RUN_STEP_SHIFT;
  }

  /** A way has ended without a match. @throws PatternLimitError */
  endWay(): void {
    if (--this.steps < 0 || ++this.waysBack > this.waysLimit) throw new PatternLimitError(-8);
    if (this.visited === undefined && this.steps < this.memoFrom) this.remember();
  }

  private remember(): void {
    const bits = visitBits(this.memoCount, this.text);
    if (bits === undefined) {
      this.memoFrom = -1;
    } else {
      this.visited = new Visits(this.text, bits);
      this.waysLimit = Infinity;
      // No more than `bits` ways are left, so a long text may take its time.
      this.steps += Math.min(bits, 2 * this.stepLimit);
    }
  }
}
