/**
 * The stack of a search: what is left to try, and what to put back before it is tried. Four integers an entry: what it is, and
 * operands.
 */

import { PatternLimitError } from "./search_budget.ts";

export const ENTRY = 4;
/** Go on at a place and position. */
export const BRANCH = 0;
/** Put a register back. */
export const UNDO = 1;
/** A greedy run (place, position, least position) gives a character back. */
export const GREEDY = 2;
/** A lazy run (place, position, characters it may still take; -1 without end) takes one more. */
export const LAZY = 3;
/** Give up, with a code. */
export const CUT = 4;
/** Go back to a height of the stack. */
export const THEN = 5;
/** A mark (name, position) that was passed. */
export const MARK = 6;
/** Give up, and begin at the last mark of a name; without one nothing. */
export const SKIP_TO = 7;

const FIRST_STACK = 1 << 12;
/** Integers; larger ones are not kept. */
const KEPT_STACK = 1 << 18;
const LARGEST_STACK = 1 << 24;

let kept: Int32Array = new Int32Array(FIRST_STACK);

/** The stack that searches use, one after another. */
export function keptStack(): Int32Array {
  return kept;
}

export function keepStack(stack: Int32Array): void {
  if (stack.length <= KEPT_STACK) kept = stack;
}

/** A larger stack with what lies on the one below `top`. @throws PatternLimitError */
export function grown(stack: Int32Array, top: number): Int32Array {
  if (stack.length >= LARGEST_STACK) throw new PatternLimitError(-8);
  const larger = new Int32Array(stack.length * 2);
  larger.set(stack.subarray(0, top));
  return larger;
}

/** Puts back the registers that the entries from `top` down to `base` kept. */
export function unwind(stack: Int32Array, base: number, top: number, registers: Int32Array): void {
  for (let at = top - ENTRY; at >= base; at -= ENTRY) {
    if (stack[at] === UNDO) registers[stack[at + 1]!] = stack[at + 2]!;
  }
}

/** Drops the choices that are open between `base` and `top`, not what was kept of registers; the new top. */
export function keepUndo(stack: Int32Array, base: number, top: number): number {
  let kept = base;
  for (let at = base; at < top; at += ENTRY) {
    if (stack[at] !== UNDO) continue;
    stack[kept] = UNDO;
    stack[kept + 1] = stack[at + 1]!;
    stack[kept + 2] = stack[at + 2]!;
    kept += ENTRY;
  }
  return kept;
}

/** The position of the last mark of that name below `top`; -1 where there is none. */
export function lastMark(stack: Int32Array, top: number, name: number): number {
  for (let at = top - ENTRY; at >= 0; at -= ENTRY) {
    if (stack[at] === MARK && stack[at + 1] === name) return stack[at + 2]!;
  }
  return -1;
}
