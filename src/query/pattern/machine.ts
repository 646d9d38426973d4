/**
 * Runs a program over a text by backtracking, as PCRE does.
 *
 * Choices that are open lie on a stack of integers, four an entry, so that no text is too long for it; a run ends when its part of the
 * stack is empty. Look-around, atomic groups and subroutines are runs within runs.
 */
import { holdsAt, isWordBorder } from "./assertions.ts";
import {
  BRANCH,
  CUT,
  ENTRY,
  GREEDY,
  grown,
  keepStack,
  keepUndo,
  keptStack,
  lastMark,
  LAZY,
  MARK,
  SKIP_TO,
  THEN,
  UNDO,
  unwind,
} from "./backtrack_stack.ts";
import { ACCEPTED, ANY, FAILED, NEXT_BRANCH, nextSet, Op, type Program, SKIPPED } from "./program.ts";
import { PatternLimitError, type SearchBudget } from "./search_budget.ts";
import { SetTable } from "./set_table.ts";
import { clusterLength, endOfSame, stepBack } from "./text_position.ts";

const GREEDY_SIZE = 6;
const DEEPEST_CALLS = 500;

export class Machine {
  readonly registers: Int32Array;
  /** Where `(*SKIP)` wants the next start. */
  skipTo = 0;
  private readonly sets: readonly SetTable[];
  private stack: Int32Array = keptStack();
  private top = 0;
  private text = "";
  private searchStart = 0;
  /** Groups that are called now. */
  private readonly calls: number[] = [];
  /** Where `(*ACCEPT)` stood. */
  private acceptedAt = 0;
  /** How high the stack was where a branch began that `(*THEN)` gives up. */
  private branchHeight = 0;

  constructor(private readonly program: Program, private readonly budget: SearchBudget) {
    this.sets = program.sets.map((set) => new SetTable(set));
    this.registers = new Int32Array(program.registerCount);
  }

  begin(text: string, from: number): void {
    this.text = text;
    this.searchStart = from;
    this.stack = keptStack();
    this.calls.length = 0;
  }

  /** Lets go of what the search held. */
  end(): void {
    keepStack(this.stack);
    this.stack = keptStack();
    this.text = "";
  }

  /** The end of a match that begins at `start`, or what it came to instead. @throws PatternLimitError */
  matchFrom(start: number): number {
    this.top = 0;
    this.registers.fill(-1);
    this.registers[0] = start;
    return this.endOf(this.run(0, start));
  }

  /** The position that a run has reached, or what it came to instead. */
  private endOf(result: number): number {
    return result === ACCEPTED ? this.acceptedAt : result;
  }

  /** From a place and position to the end of the run: the position reached, or what it came to instead. */
  private run(startPlace: number, startPosition: number): number {
    const { text, sets, registers, program, budget } = this;
    const { code } = program;
    const length = text.length;
    const base = this.top;
    let stack = this.stack;
    let top = base;
    let place = startPlace;
    let at = startPosition;
    for (;;) {
      if (top + 2 * ENTRY > stack.length) stack = this.stack = grown(stack, top);
      switch (code[place]) {
        case Op.End:
          this.top = keepUndo(stack, base, top);
          return at;
        case Op.Accept:
          this.top = keepUndo(stack, base, top);
          this.acceptedAt = at;
          return ACCEPTED;
        case Op.Char:
          if (at < length && text.charCodeAt(at) === code[place + 1]) {
            at++;
            place += 2;
            continue;
          }
          break;
        case Op.Set: {
          const next = at < length ? sets[code[place + 1]!]!.step(text, at) : -1;
          if (next >= 0) {
            at = next;
            place += 2;
            continue;
          }
          break;
        }
        case Op.Possessive: {
          const set = sets[code[place + 1]!]!;
          const end = set.run(text, at, code[place + 2]!, code[place + 3]!);
          if (end >= 0) {
            budget.takeRun(end - at);
            at = end;
            place += 4;
            continue;
          }
          break;
        }
        case Op.Greedy: {
          const set = sets[code[place + 1]!]!;
          const min = code[place + 2]!;
          const max = code[place + 3]!;
          const least = min === 0 ? at : set.run(text, at, min, min);
          if (least < 0) break;
          const memo = code[place + 5]!;
          const end = budget.visited === undefined || memo < 0
            ? set.run(text, least, 0, max < 0 ? -1 : max - min)
            : max < 0
            ? budget.visited.run(set, memo, least)
            : budget.visited.visit(memo, at)
            ? -1
            : set.run(text, least, 0, max - min);
          if (end < 0) break;
          budget.takeRun(end - at);
          if (end > least) {
            stack[top] = GREEDY;
            stack[top + 1] = place;
            stack[top + 2] = end;
            stack[top + 3] = least;
            top += ENTRY;
          }
          const next = code[place + 4]!;
          if (next !== ANY && !this.comesNext(next, end)) break;
          at = end;
          place += GREEDY_SIZE;
          continue;
        }
        case Op.Lazy: {
          const min = code[place + 2]!;
          const max = code[place + 3]!;
          const least = min === 0 ? at : sets[code[place + 1]!]!.run(text, at, min, min);
          if (least < 0) break;
          if (budget.visited?.visit(code[place + 5]!, max < 0 ? least : at)) break;
          if (max !== min) {
            stack[top] = LAZY;
            stack[top + 1] = place;
            stack[top + 2] = least;
            stack[top + 3] = max < 0 ? -1 : max - min;
            top += ENTRY;
          }
          const next = code[place + 4]!;
          if (next !== ANY && !this.comesNext(next, least)) break;
          at = least;
          place += GREEDY_SIZE;
          continue;
        }
        case Op.Split: {
          if (budget.visited?.visit(code[place + 3]!, at)) break;
          stack[top] = BRANCH;
          stack[top + 1] = code[place + 2]!;
          stack[top + 2] = at;
          top += ENTRY;
          place = code[place + 1]!;
          continue;
        }
        case Op.Jump:
          place = code[place + 1]!;
          continue;
        case Op.Save: {
          const register = code[place + 1]!;
          stack[top] = UNDO;
          stack[top + 1] = register;
          stack[top + 2] = registers[register]!;
          top += ENTRY;
          registers[register] = at;
          place += 2;
          continue;
        }
        case Op.Close: {
          const register = 2 * code[place + 1]!;
          stack[top] = UNDO;
          stack[top + 1] = register;
          stack[top + 2] = registers[register]!;
          stack[top + ENTRY] = UNDO;
          stack[top + ENTRY + 1] = register + 1;
          stack[top + ENTRY + 2] = registers[register + 1]!;
          top += 2 * ENTRY;
          registers[register] = registers[code[place + 2]!]!;
          registers[register + 1] = at;
          place += 3;
          continue;
        }
        case Op.Loop: {
          if (registers[code[place + 1]!] === at) {
            place += 5;
            continue;
          }
          if (budget.visited?.visit(code[place + 4]!, at)) break;
          const lazy = code[place + 3] === 1;
          stack[top] = BRANCH;
          stack[top + 1] = lazy ? code[place + 2]! : place + 5;
          stack[top + 2] = at;
          top += ENTRY;
          place = lazy ? place + 5 : code[place + 2]!;
          continue;
        }
        case Op.TextStart:
        case Op.TextEnd:
        case Op.LastLineEnd:
        case Op.LineStart:
        case Op.LineEnd:
        case Op.SearchStart:
          if (!holdsAt(code[place]!, text, at, this.searchStart)) break;
          place++;
          continue;
        case Op.WordBorder:
        case Op.NoWordBorder:
          if (isWordBorder(sets[code[place + 1]!]!, text, at) !== (code[place] === Op.WordBorder)) break;
          place += 2;
          continue;
        case Op.Look:
        case Op.LookIf: {
          const conditional = code[place] === Op.LookIf;
          const negated = code[place + 1] === 1;
          this.top = top;
          const end = this.endOf(this.run(place + (conditional ? 4 : 3), at));
          const found = end >= 0;
          stack = this.stack;
          if (end < FAILED && !negated) {
            if (!this.isBranchOf(end, base)) return this.giveUp(end, base, top);
            top = this.backToBranch(top);
            break;
          }
          // What a negative one captured is forgotten.
          if (found && negated) unwind(stack, top, this.top, registers);
          else top = this.top;
          if (found === negated && !conditional) break;
          place = found === negated ? code[place + 3]! : code[place + 2]!;
          continue;
        }
        case Op.Atomic: {
          this.top = top;
          const end = this.run(place + 2, at);
          stack = this.stack;
          if (end === ACCEPTED) {
            this.top = keepUndo(stack, base, this.top);
            return ACCEPTED;
          }
          if (end < FAILED) {
            if (!this.isBranchOf(end, base)) return this.giveUp(end, base, top);
            top = this.backToBranch(top);
            break;
          }
          if (end < 0) break;
          top = this.top;
          at = end;
          place = code[place + 1]!;
          continue;
        }
        case Op.Back: {
          let count = code[place + 1]!;
          while (count > 0 && at > 0) {
            at = stepBack(text, at);
            count--;
          }
          if (count > 0) break;
          place += 2;
          continue;
        }
        case Op.Reference: {
          const end = this.reference(program.lists[code[place + 1]!]!, code[place + 2] === 1, at);
          if (end < 0) break;
          budget.takeRun(end - at);
          at = end;
          place += 3;
          continue;
        }
        case Op.Call: {
          this.top = top;
          const end = this.call(code[place + 1]!, at);
          stack = this.stack;
          if (end < 0) break;
          at = end;
          place += 2;
          continue;
        }
        case Op.IfGroups:
        case Op.IfRecursion: {
          const numbers = program.lists[code[place + 1]!]!;
          const holds = code[place] === Op.IfGroups
            ? numbers.some((number) => registers[2 * number + 1]! >= 0)
            : this.isCalled(numbers);
          place = holds ? place + 3 : code[place + 2]!;
          continue;
        }
        case Op.Cluster:
          if (at >= length) break;
          at += clusterLength(text, at);
          place++;
          continue;
        case Op.Cut:
          stack[top] = CUT;
          stack[top + 1] = code[place + 1]!;
          stack[top + 2] = at;
          top += ENTRY;
          place += 2;
          continue;
        case Op.Height: {
          const register = code[place + 1]!;
          stack[top] = UNDO;
          stack[top + 1] = register;
          stack[top + 2] = registers[register]!;
          registers[register] = top;
          top += ENTRY;
          place += 2;
          continue;
        }
        case Op.Then:
          stack[top] = THEN;
          stack[top + 1] = registers[code[place + 1]!]!;
          top += ENTRY;
          place += 2;
          continue;
        case Op.Mark:
        case Op.SkipTo:
          stack[top] = code[place] === Op.Mark ? MARK : SKIP_TO;
          stack[top + 1] = code[place + 1]!;
          stack[top + 2] = at;
          top += ENTRY;
          place += 2;
          continue;
      }
      // The way ends here: back to the choice that was left open last.
      budget.endWay();
      back: for (;;) {
        if (top === base) {
          this.top = base;
          return FAILED;
        }
        top -= ENTRY;
        const operand = stack[top + 1]!;
        switch (stack[top]) {
          case UNDO:
            registers[operand] = stack[top + 2]!;
            continue back;
          case BRANCH:
            place = operand;
            at = stack[top + 2]!;
            break back;
          case GREEDY: {
            const least = stack[top + 3]!;
            const next = code[operand + 4]!;
            const end = stack[top + 2]!;
            at = stepBack(text, end);
            if (next !== ANY) {
              while (at > least && !this.comesNext(next, at)) at = stepBack(text, at);
              budget.takeRun(end - at);
              if (!this.comesNext(next, at)) continue back;
            }
            if (at > least) {
              stack[top + 2] = at;
              top += ENTRY;
            }
            place = operand + GREEDY_SIZE;
            break back;
          }
          case LAZY: {
            at = this.lengthen(operand, stack[top + 2]!, stack, top);
            if (at < 0) continue back;
            top += ENTRY;
            place = operand + GREEDY_SIZE;
            break back;
          }
          case THEN:
            this.branchHeight = operand;
            if (operand < base) return this.giveUp(NEXT_BRANCH, base, top);
            top = this.backToBranch(top);
            continue back;
          case MARK:
            continue back;
          case SKIP_TO:
            this.skipTo = lastMark(stack, top, operand);
            if (this.skipTo < 0) continue back;
            return this.giveUp(SKIPPED, base, top);
          default:
            this.skipTo = stack[top + 2]!;
            return this.giveUp(operand, base, top);
        }
      }
    }
  }

  /** Whether a run within this one, which begins at `base`, has given up one of this one's branches. */
  private isBranchOf(result: number, base: number): boolean {
    return result === NEXT_BRANCH && this.branchHeight >= base;
  }

  /** The stack as it was when that branch began: its new top. */
  private backToBranch(top: number): number {
    unwind(this.stack, this.branchHeight, top, this.registers);
    return this.branchHeight;
  }

  /** Ends a run that may not look for other ways. */
  private giveUp(result: number, base: number, top: number): number {
    unwind(this.stack, base, top, this.registers);
    this.top = base;
    return result;
  }

  /** A lazy run takes characters until what must follow comes; its entry goes on from there. The position, or -1. */
  private lengthen(place: number, from: number, stack: Int32Array, entry: number): number {
    const { code } = this.program;
    const { text } = this;
    const set = this.sets[code[place + 1]!]!;
    const next = code[place + 4]!;
    let at = from;
    let left = stack[entry + 3]!;
    do {
      if (left === 0 || at >= text.length) return -1;
      at = set.step(text, at);
      if (at < 0) return -1;
      if (left > 0) left--;
      else if (this.budget.visited?.visit(code[place + 5]!, at)) return -1;
    } while (next !== ANY && !this.comesNext(next, at));
    this.budget.takeRun(at - from);
    stack[entry + 2] = at;
    stack[entry + 3] = left;
    return at;
  }

  /** Whether the unit or set that an instruction names comes next. */
  private comesNext(next: number, at: number): boolean {
    if (at >= this.text.length) return false;
    return next >= 0 ? this.text.charCodeAt(at) === next : this.sets[nextSet(next)]!.step(this.text, at) >= 0;
  }

  /** What a subroutine captured is forgotten; what it matched is tried in one way only. */
  private call(group: number, at: number): number {
    if (this.calls.length >= DEEPEST_CALLS) throw new PatternLimitError(-21);
    const before = this.registers.slice();
    const top = this.top;
    this.calls.push(group);
    const end = this.endOf(this.run(this.program.subroutines.get(group)!, at));
    this.calls.pop();
    this.registers.set(before);
    this.top = top;
    return end;
  }

  private isCalled(numbers: readonly number[]): boolean {
    const last = this.calls.at(-1);
    return last !== undefined && numbers.some((number) => number === -1 || number === last);
  }

  /** The end of what the first set group of a list captured, found again here; -1 where it is not. */
  private reference(numbers: readonly number[], ignoreCase: boolean, at: number): number {
    const { registers, text } = this;
    const number = numbers.find((one) => registers[2 * one + 1]! >= 0);
    if (number === undefined) return -1;
    return endOfSame(text, registers[2 * number]!, registers[2 * number + 1]!, at, ignoreCase);
  }
}
