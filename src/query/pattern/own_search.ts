/**
 * A search from one start after another: those at which a match can begin. The platform's engine tells quickly whether there is one,
 * for as long as the bounds of its steps allow; our own is asked otherwise, and for what groups captured.
 */
import { MAX_PATTERN_STEPS, noteLongWork } from "../../base/mod.ts";
import { anchorOf, leadingText, requiredText, startOf } from "./analysis.ts";
import { stepsAt } from "./bound.ts";
import { Matcher } from "./matcher.ts";
import { LONG_NATIVE_STEPS, type NativePattern } from "./native.ts";
import type { Program } from "./program.ts";
import { STEPS_BEFORE_MEMO } from "./search_budget.ts";
import { isHighSurrogate, SetTable } from "./set_table.ts";
import { type PatternTree, someNode } from "./syntax.ts";

/** Steps that the platform's engine may take in a search, by their bounds. */
const NATIVE_STEPS = 64_000_000;

/** Steps back that take some tenths of a millisecond. */
const LONG_SEARCH_STEPS = 5000;

export class OwnSearch {
  private readonly sticky: RegExp;
  private readonly matcher: Matcher;
  private readonly anchor: "textStart" | "searchStart" | undefined;
  /** What every match begins with; empty where that is not known. */
  private readonly leading: string;
  /** What is somewhere in every match. */
  private readonly required: string;
  /** The characters that a match can begin with; undefined where it need not have any. */
  private readonly first: SetTable | undefined;

  constructor(
    { root }: PatternTree,
    program: Program,
    private readonly native: NativePattern,
    stepsBeforeMemo = STEPS_BEFORE_MEMO,
  ) {
    this.sticky = new RegExp(native.source, "uy");
    this.matcher = new Matcher(program, MAX_PATTERN_STEPS, stepsBeforeMemo);
    this.anchor = anchorOf(root);
    const early = someNode(root, ({ kind }) => kind === "accept");
    this.leading = early ? "" : leadingText(root).text;
    this.required = early ? "" : requiredText(root);
    const { set, nullable, atEnd } = startOf(root);
    this.first = nullable || atEnd ? undefined : new SetTable(set);
  }

  /** Whether there is a match. @throws PatternLimitError */
  test(text: string): boolean {
    return this.search(text, 0, true) !== undefined;
  }

  /** The registers of the first match from `from` on; undefined where there is none. @throws PatternLimitError */
  find(text: string, from: number): Int32Array | undefined {
    return this.search(text, from, false);
  }

  private search(text: string, from: number, testOnly: boolean): Int32Array | undefined {
    if (this.anchor === "textStart" && from > 0) return undefined;
    if (this.required !== "" && !text.includes(this.required, from)) return undefined;
    this.matcher.begin(text, from);
    try {
      return this.tryStarts(text, from, testOnly);
    } finally {
      if (this.matcher.stepsTaken > LONG_SEARCH_STEPS) noteLongWork();
      this.matcher.end();
    }
  }

  private tryStarts(text: string, from: number, testOnly: boolean): Int32Array | undefined {
    const stepsOfStart = stepsAt(this.native.stepsOfStart, text.length);
    let nativeSteps = NATIVE_STEPS;
    for (let start = from; start <= text.length; start = behind(text, start)) {
      if (this.anchor === undefined) start = this.nextStart(text, start);
      if (start < 0) return undefined;
      nativeSteps -= stepsOfStart;
      if (NATIVE_STEPS - nativeSteps > LONG_NATIVE_STEPS) noteLongWork();
      const known = nativeSteps < 0 ? undefined : this.matchesNatively(text, start);
      if (known === true && testOnly) return FOUND;
      if (known !== false) {
        const found = this.matcher.matchAt(start);
        if (typeof found !== "number") return found;
        if (found < 0) return undefined;
        start = found - 1;
      }
      if (this.anchor !== undefined) return undefined;
    }
    return undefined;
  }

  private matchesNatively(text: string, start: number): boolean {
    this.sticky.lastIndex = start;
    return this.sticky.test(text);
  }

  /** The first position from `from` on at which a match can begin; -1 where there is none. */
  private nextStart(text: string, from: number): number {
    if (this.leading !== "") return text.indexOf(this.leading, from);
    if (this.first === undefined) return from;
    const start = this.first.find(text, from);
    return start < text.length ? start : -1;
  }
}

/** What a test finds; nobody reads it. */
const FOUND = new Int32Array(0);

/** The start behind one, never between the two units of a character. */
function behind(text: string, start: number): number {
  return isHighSurrogate(text.charCodeAt(start)) ? start + 2 : start + 1;
}
