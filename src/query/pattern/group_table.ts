/** The groups of a pattern by number and name, and what refers to them, which may stand before them. */
import { PatternError } from "./reader.ts";
import type { Node } from "./syntax.ts";

export class GroupTable {
  /** Number of capturing groups read so far. */
  count = 0;
  private readonly numbersOfName = new Map<string, number[]>();
  private readonly open_: number[] = [];
  private readonly later: (() => void)[] = [];

  /** A capturing group begins; its number. */
  open(name: string | undefined, duplicates: boolean): number {
    const number = ++this.count;
    if (name !== undefined) this.define(name, number, duplicates);
    this.open_.push(number);
    return number;
  }

  close(): void {
    this.open_.pop();
  }

  /** The groups that have begun and not ended. */
  openGroups(): readonly number[] {
    return [...this.open_];
  }

  private define(name: string, number: number, duplicates: boolean): void {
    const numbers = this.numbersOfName.get(name) ?? [];
    if (numbers.includes(number)) return;
    if (numbers.length > 0 && !duplicates) {
      throw new PatternError("two named subpatterns have the same name");
    }
    this.numbersOfName.set(name, [...numbers, number]);
  }

  /** The groups of a name; the list is filled when all is read. */
  named(name: string): readonly number[] {
    const numbers: number[] = [];
    this.later.push(() => numbers.push(...this.namedNow(name)));
    return numbers;
  }

  private namedNow(name: string): readonly number[] {
    const numbers = this.numbersOfName.get(name);
    if (numbers === undefined) throw nonExistent();
    return numbers;
  }

  /** The group of a number such as `2`, `-1` (the one that began last) or `+1` (the next), as a list. */
  numbered(text: string): readonly number[] {
    const number = this.numberOf(text);
    if (number === 0) throw new PatternError("a numbered reference must not be zero");
    this.check(number);
    return [number];
  }

  private numberOf(text: string): number {
    const number = Number(text);
    const relative = text.startsWith("+") || text.startsWith("-");
    if (!relative || number === 0) return relative ? 0 : number;
    const absolute = this.count + number + (number < 0 ? 1 : 0);
    if (absolute <= 0) throw nonExistent();
    return absolute;
  }

  private check(number: number): void {
    this.later.push(() => {
      if (number > this.count) throw nonExistent();
    });
  }

  /** A subroutine by number; `0` is the whole pattern. */
  callNumbered(text: string): Node {
    if (text === "0") return { kind: "call", number: 0 };
    return { kind: "call", number: this.numbered(text)[0]! };
  }

  callNamed(name: string): Node {
    const call = { kind: "call" as const, number: 0 };
    this.later.push(() => call.number = this.namedNow(name)[0]!);
    return call;
  }

  /** All is read. @throws PatternError where a group is missing */
  resolve(): void {
    for (const look of this.later) look();
  }
}

function nonExistent(): PatternError {
  return new PatternError("reference to non-existent subpattern");
}
