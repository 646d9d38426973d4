/** From the tree to a program (see `program.ts`). Counted repetitions are written out. */
import { assert } from "../../base/mod.ts";
import { ANYWHERE, endsRun, fixedLength, followsOf, loopFollow, type Start, startOf } from "./analysis.ts";
import { ANYTHING, type CharacterSet, onlyCharacterOf } from "./character_set.ts";
import { hasLeftRecursion } from "./left_recursion.ts";
import { ANY, COMMITTED, nextSet, Op, type Program, PRUNED, SKIPPED } from "./program.ts";
import { PatternError } from "./reader.ts";
import {
  type Assertion,
  childrenOf,
  type Choice,
  type Condition,
  type Cut,
  type Look,
  type Node,
  type PatternTree,
  type Repeat,
  someNode,
} from "./syntax.ts";

/** Integers; a pattern that takes more is refused. */
const LARGEST_PROGRAM = 1 << 18;
const HISTORY_MATTERS: ReadonlySet<Node["kind"]> = new Set([
  "reference",
  "call",
  "condition",
  "cut",
  "skipTo",
  "accept",
]);

/** @throws PatternError for a look-behind without a fixed length, and for a program that is too large */
export function compileTree(tree: PatternTree): Program {
  return new Compiler(tree).run();
}

const POSITIONS: Readonly<Record<Assertion["at"], number>> = {
  textStart: Op.TextStart,
  textEnd: Op.TextEnd,
  lastLineEnd: Op.LastLineEnd,
  lineStart: Op.LineStart,
  lineEnd: Op.LineEnd,
  searchStart: Op.SearchStart,
  wordBorder: Op.WordBorder,
  noWordBorder: Op.NoWordBorder,
};
const CUTS: Readonly<Record<Exclude<Cut, "then">, number>> = {
  commit: COMMITTED,
  prune: PRUNED,
  skip: SKIPPED,
};

function hasThen(node: Node): boolean {
  return someNode(node, (below) => below.kind === "cut" && below.cut === "then");
}

class Compiler {
  private readonly code: number[] = [];
  private readonly sets: CharacterSet[] = [];
  private readonly setNumbers = new Map<CharacterSet, number>();
  private readonly lists: (readonly number[])[] = [];
  private readonly groups = new Map<number, Node>();
  private readonly subroutines = new Map<number, number>();
  private readonly called: number[] = [];
  private registers: number;
  private memos = 0;
  /** Inside of look-around, atomic groups and subroutines the way goes on elsewhere after a match. */
  private apart = 0;
  private readonly remembers: boolean;
  private readonly marks: string[] = [];
  /** Where the innermost choice keeps how high the stack was when its branch began; undefined outside of choices. */
  private branchHeight: number | undefined;
  /** What is in the group whose subroutine is written now. */
  private calledItem: Node | undefined;

  constructor(private readonly tree: PatternTree) {
    this.registers = 3 * (tree.groupCount + 1);
    this.remembers = !someNode(tree.root, ({ kind }) => HISTORY_MATTERS.has(kind));
    this.groups.set(0, tree.root);
    this.collectGroups(tree.root);
    if (hasLeftRecursion(this.groups)) throw new PatternError("recursive call could loop indefinitely");
  }

  run(): Program {
    this.emit(this.tree.root, ANYWHERE);
    this.put(Op.End);
    this.subroutines.set(0, 0);
    this.apart++;
    for (const number of this.called) this.subroutine(number);
    return {
      code: Int32Array.from(this.code),
      sets: this.sets,
      lists: this.lists,
      groupCount: this.tree.groupCount,
      registerCount: this.registers,
      subroutines: this.subroutines,
      memoCount: this.memos,
    };
  }

  private collectGroups(node: Node): void {
    if (node.kind === "group" && !this.groups.has(node.number)) this.groups.set(node.number, node);
    for (const child of childrenOf(node)) this.collectGroups(child);
  }

  /** `called` grows while its subroutines are written. */
  private subroutine(number: number): void {
    if (this.subroutines.has(number)) return;
    const group = this.groups.get(number);
    assert(group !== undefined, "a call of a group that is there");
    this.subroutines.set(number, this.code.length);
    this.calledItem = group.kind === "group" ? group.item : undefined;
    this.emit(group, ANYWHERE);
    this.put(Op.End);
  }

  private put(...integers: number[]): number {
    const at = this.code.length;
    if (at > LARGEST_PROGRAM) throw new PatternError("regular expression is too large");
    this.code.push(...integers);
    return at;
  }

  /** Sets an operand to where the next instruction begins. */
  private land(operand: number): void {
    this.code[operand] = this.code.length;
  }

  /** Holds where a group began while it is open; what it captured before stays until it closes. */
  private openRegister(group: number): number {
    return 2 * (this.tree.groupCount + 1) + group;
  }

  private putClose(group: number): void {
    this.put(Op.Close, group, this.openRegister(group));
  }

  private memo(): number {
    return this.remembers && this.apart === 0 ? this.memos++ : -1;
  }

  private setNumber(set: CharacterSet): number {
    let number = this.setNumbers.get(set);
    if (number === undefined) {
      number = this.sets.push(set) - 1;
      this.setNumbers.set(set, number);
    }
    return number;
  }

  private emit(node: Node, follow: Start): void {
    switch (node.kind) {
      case "empty":
        return;
      case "set":
        return this.emitSet(node.set);
      case "sequence": {
        const follows = followsOf(node.items, follow);
        return node.items.forEach((item, at) => this.emit(item, follows[at]!));
      }
      case "choice":
        return this.emitChoice(node, follow);
      case "repeat":
        return this.emitRepeat(node, follow);
      case "group":
        this.put(Op.Save, this.openRegister(node.number));
        this.emit(node.item, follow);
        this.putClose(node.number);
        return;
      case "atomic":
        return this.emitAtomic(node.item);
      case "look":
        return this.emitLook(node, this.put(Op.Look, Number(node.negated), 0));
      case "assertion":
        this.put(POSITIONS[node.at]);
        if (node.word !== undefined) this.put(this.setNumber(node.word));
        return;
      case "reference":
        this.put(Op.Reference, this.lists.push(node.numbers) - 1, Number(node.ignoreCase));
        return;
      case "call":
        this.put(Op.Call, node.number);
        this.called.push(node.number);
        return;
      case "condition":
        return this.emitCondition(node, follow);
      case "cluster":
        this.put(Op.Cluster);
        return;
      case "keep":
        this.put(Op.Save, 0);
        return;
      case "fail":
        this.put(Op.Fail);
        return;
      case "accept":
        for (const group of node.openGroups) this.putClose(group);
        this.put(Op.Accept);
        return;
      case "cut":
        return this.emitCut(node.cut);
      case "mark":
        this.put(Op.Mark, this.markNumber(node.name));
        return;
      case "skipTo":
        this.put(Op.SkipTo, this.markNumber(node.name));
    }
  }

  private emitSet(set: CharacterSet): void {
    const code = onlyCharacterOf(set);
    if (code < 0) {
      this.put(Op.Set, this.setNumber(set));
    } else {
      const text = String.fromCodePoint(code);
      for (let at = 0; at < text.length; at++) this.put(Op.Char, text.charCodeAt(at));
    }
  }

  /** `(*THEN)` outside of choices is `(*PRUNE)`. */
  private emitCut(cut: Cut): void {
    if (cut !== "then") this.put(Op.Cut, CUTS[cut]);
    else if (this.branchHeight === undefined) this.put(Op.Cut, PRUNED);
    else this.put(Op.Then, this.branchHeight);
  }

  private markNumber(name: string): number {
    const number = this.marks.indexOf(name);
    return number < 0 ? this.marks.push(name) - 1 : number;
  }

  private emitChoice(choice: Choice, follow: Start): void {
    const { items } = choice;
    const jumps: number[] = [];
    const outer = this.branchHeight;
    // Between the branches of a group that is called there is no next one for `(*THEN)`.
    const height = choice !== this.calledItem && items.some(hasThen) ? this.registers++ : undefined;
    items.forEach((item, at) => {
      const last = at === items.length - 1;
      const split = last ? -1 : this.put(Op.Split, this.code.length + 4, 0, this.memo());
      if (height !== undefined) this.put(Op.Height, height);
      this.branchHeight = height;
      this.emit(item, follow);
      this.branchHeight = outer;
      if (last) return;
      jumps.push(this.put(Op.Jump, 0) + 1);
      this.land(split + 2);
    });
    for (const jump of jumps) this.land(jump);
  }

  private emitRepeat(node: Repeat, follow: Start): void {
    const { item, min, max, lazy } = node;
    if (max === 0) return;
    if (item.kind === "set") return this.emitRun(item.set, node, follow);
    if (item.kind === "empty") return;
    const again = loopFollow(item, follow);
    const finite = max !== Infinity;
    const before = finite ? min : Math.max(0, min - 1);
    for (let count = 0; count < before; count++) this.emit(item, again);
    if (!finite) return min === 0 ? this.emitStar(item, lazy, again) : this.emitPlus(item, lazy, again);
    const exits: number[] = [];
    for (let count = min; count < max; count++) {
      exits.push(this.emitBranch(lazy));
      this.emit(item, again);
    }
    for (const exit of exits) this.land(exit);
  }

  private emitRun(set: CharacterSet, { min, max, lazy }: Repeat, follow: Start): void {
    const bound = max === Infinity ? -1 : max;
    const number = this.setNumber(set);
    if (!lazy && endsRun(set, follow)) {
      this.put(Op.Possessive, number, min, bound);
      return;
    }
    this.put(lazy ? Op.Lazy : Op.Greedy, number, min, bound, this.nextOf(follow), this.memo());
  }

  private nextOf({ set, nullable, atEnd }: Start): number {
    if (nullable || atEnd || set === ANYTHING) return ANY;
    const only = onlyCharacterOf(set);
    return only >= 0 && only <= 0xffff ? only : nextSet(this.setNumber(set));
  }

  /** A split of which one way goes on behind it; the operand of the other, the way out. */
  private emitBranch(lazy: boolean): number {
    const at = this.put(Op.Split, 0, 0, this.memo());
    this.code[at + (lazy ? 2 : 1)] = this.code.length;
    return at + (lazy ? 1 : 2);
  }

  private emitStar(item: Node, lazy: boolean, again: Start): void {
    const exit = this.emitBranch(lazy);
    this.emitPlus(item, lazy, again);
    this.land(exit);
  }

  /** The item once or more often; an iteration that matches nothing is the last. */
  private emitPlus(item: Node, lazy: boolean, again: Start): void {
    const { nullable, atEnd } = startOf(item);
    const register = nullable || atEnd ? this.registers++ : -1;
    const start = this.code.length;
    if (register >= 0) this.put(Op.Save, register);
    this.emit(item, again);
    if (register >= 0) {
      this.put(Op.Loop, register, start, Number(lazy), this.memo());
      return;
    }
    const behind = this.code.length + 4;
    this.put(Op.Split, lazy ? behind : start, lazy ? start : behind, this.memo());
  }

  private emitAtomic(item: Node): void {
    if (item.kind === "repeat" && item.item.kind === "set" && !item.lazy) {
      const bound = item.max === Infinity ? -1 : item.max;
      this.put(Op.Possessive, this.setNumber(item.item.set), item.min, bound);
      return;
    }
    const at = this.put(Op.Atomic, 0);
    this.emitApart(item);
    this.land(at + 1);
  }

  private emitApart(item: Node): void {
    this.apart++;
    this.emit(item, ANYWHERE);
    this.put(Op.End);
    this.apart--;
  }

  /** `at` is where its instruction stands, whose third integer is the end. */
  private emitLook({ behind, item }: Look, at: number): void {
    if (!behind) {
      this.emitApart(item);
    } else {
      const alternatives = item.kind === "choice" ? item.items : [item];
      const items = alternatives.map((alternative) => this.fromBehind(alternative));
      this.apart++;
      const jumps: number[] = [];
      items.forEach(([length, alternative], index) => {
        const split = index === items.length - 1
          ? -1
          : this.put(Op.Split, this.code.length + 4, 0, this.memo());
        this.put(Op.Back, length);
        this.emit(alternative, ANYWHERE);
        jumps.push(this.put(Op.Jump, 0) + 1);
        if (split >= 0) this.land(split + 2);
      });
      for (const jump of jumps) this.land(jump);
      this.put(Op.End);
      this.apart--;
    }
    this.land(at + 2);
  }

  private fromBehind(alternative: Node): readonly [number, Node] {
    const length = fixedLength(alternative, this.groups);
    if (length === undefined) throw new PatternError("lookbehind assertion is not fixed length");
    return [length, alternative];
  }

  private emitCondition({ test, yes, no }: Condition, follow: Start): void {
    if (test.kind === "define") return;
    let otherwise: number;
    if (test.kind === "look") {
      const at = this.put(Op.LookIf, Number(test.negated), 0, 0);
      this.emitLook(test, at);
      otherwise = at + 3;
    } else {
      const op = test.kind === "groups" ? Op.IfGroups : Op.IfRecursion;
      otherwise = this.put(op, this.lists.push(test.numbers) - 1, 0) + 2;
    }
    this.emit(yes, follow);
    const jump = this.put(Op.Jump, 0) + 1;
    this.land(otherwise);
    this.emit(no, follow);
    this.land(jump);
  }
}
