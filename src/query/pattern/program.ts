/**
 * The instructions of a compiled pattern: an operation and its operands, in one array of integers.
 *
 *     Char unit                          one UTF-16 unit
 *     Set set                            one character of the set
 *     Greedy, Lazy set min max next memo a run of characters of the set; max -1 is without end; `next`: see below
 *     Possessive set min max             a run that gives nothing back
 *     Split first second memo            tries the first, then the second
 *     Jump to
 *     Save register                      keeps the position
 *     Close group register               the group captures from the position in the register to here
 *     Loop register start lazy memo      the end of an iteration that began at the position in the register
 *     Position at                        asserts; `WordBorder set`, `NoWordBorder set`
 *     Look negated end                   the code up to `end` is asked here
 *     LookIf negated end otherwise       the same, as the condition of what is behind `end`
 *     Atomic end
 *     Back count                         goes back some characters
 *     Reference list ignoreCase          what one of the groups of a list captured
 *     Call group
 *     IfGroups, IfRecursion list otherwise
 *     Cluster, Fail, End
 *     Cut code
 *     Height register                    keeps how high the stack is
 *     Then register                      backtracking onto it goes back to that height
 *     Mark name, SkipTo name
 *     Accept                             the end, also of the runs around an atomic group
 *
 * `next` is the UTF-16 unit that must follow; or, below -1, a set, one of which must; or -1.
 * `memo` numbers the places where paths meet again (from 0); -1 where a visit says nothing about the next.
 */
import type { CharacterSet } from "./character_set.ts";

export const Op = {
  End: 0,
  Char: 1,
  Set: 2,
  Greedy: 3,
  Lazy: 4,
  Possessive: 5,
  Split: 6,
  Jump: 7,
  Save: 8,
  Loop: 9,
  TextStart: 10,
  TextEnd: 11,
  LastLineEnd: 12,
  LineStart: 13,
  LineEnd: 14,
  SearchStart: 15,
  WordBorder: 16,
  NoWordBorder: 17,
  Look: 18,
  LookIf: 19,
  Atomic: 20,
  Back: 21,
  Reference: 22,
  Call: 23,
  IfGroups: 24,
  IfRecursion: 25,
  Cluster: 26,
  Fail: 27,
  Cut: 28,
  Close: 29,
  Height: 30,
  Then: 31,
  Mark: 32,
  SkipTo: 33,
  Accept: 34,
} as const;

/** What a run of the program came to, where it is no position. */
export const FAILED = -1;
export const COMMITTED = -2;
export const PRUNED = -3;
export const SKIPPED = -4;
/** To go on where a branch began, in a run around this one. */
export const NEXT_BRANCH = -5;
export const ACCEPTED = -6;

export interface Program {
  readonly code: Int32Array;
  readonly sets: readonly CharacterSet[];
  /** Groups that references and conditions name. */
  readonly lists: readonly (readonly number[])[];
  readonly groupCount: number;
  /** Two a group (0 is the match), one for where each group began last, one for each loop that may match nothing. */
  readonly registerCount: number;
  /** Where the code of a called group begins. */
  readonly subroutines: ReadonlyMap<number, number>;
  /** Places at which visits are remembered; 0 where what happens does not depend on place and position alone. */
  readonly memoCount: number;
}

/** The operand `next` where nothing is known. */
export const ANY = -1;

/** The operand `next` for a set, and back. */
export function nextSet(number: number): number {
  return -2 - number;
}
