/** A search for matches of a program, one start after another, within a number of steps. */
import { COMMITTED, type Program, SKIPPED } from "./program.ts";
import { Machine } from "./machine.ts";
import { SearchBudget } from "./search_budget.ts";

export class Matcher {
  private readonly budget: SearchBudget;
  private readonly machine: Machine;

  constructor(private readonly program: Program, stepLimit: number, stepsBeforeMemo: number) {
    this.budget = new SearchBudget(program.memoCount, stepLimit, stepsBeforeMemo);
    this.machine = new Machine(program, this.budget);
  }

  /** Begins a search; `matchAt` then tries one start after another. */
  begin(text: string, from: number): void {
    this.budget.begin(text);
    this.machine.begin(text, from);
  }

  /** Steps that the search took so far. */
  get stepsTaken(): number {
    return this.budget.stepsTaken;
  }

  /** Lets go of what the search held. */
  end(): void {
    this.machine.end();
    this.budget.end();
  }

  /**
   * A match that begins at `start`: positions of its start and end and those of the groups, -1 where one is not set.
   * Otherwise the least start that is to be tried next, or -1.
   *
   * @throws PatternLimitError
   */
  matchAt(start: number): Int32Array | number {
    const { machine } = this;
    this.budget.beginStart();
    const end = machine.matchFrom(start);
    if (end >= 0) {
      machine.registers[1] = end;
      return machine.registers.slice(0, 2 * (this.program.groupCount + 1));
    }
    if (end === COMMITTED) return -1;
    return end === SKIPPED && machine.skipTo > start ? machine.skipTo : start + 1;
  }
}
