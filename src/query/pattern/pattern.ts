/**
 * Patterns as MongoDB has them: PCRE's syntax and meaning. A search runs on the platform's engine where that is known to be harmless
 * (`native.ts`), on our own otherwise (`machine.ts`), whose steps are bounded: no pattern can hold the server up.
 */
import { CommandError, noteLongWork } from "../../base/mod.ts";
import { compileTree } from "./compile.ts";
import { nativeForm, type NativePattern, NO_NATIVE } from "./native.ts";
import { OwnSearch } from "./own_search.ts";
import { parsePattern } from "./parse.ts";
import type { Program } from "./program.ts";
import type { Modes } from "./modes.ts";
import { PatternError } from "./reader.ts";
import type { PatternTree } from "./syntax.ts";

/** Integers of a program that is handed to the platform's engine, which has a limit of its own. */
const LARGEST_NATIVE_PROGRAM = 4096;

export { PatternLimitError } from "./search_budget.ts";

const CACHE_ENTRIES = 256;
const cache = new Map<string, Pattern>();

/**
 * A pattern, checked.
 *
 * @param options MongoDB's letters: i, m, s, x, u
 * @throws CommandError 51108 for an unknown option, 51091 for a pattern that is wrong
 */
export function compilePattern(pattern: string, options: string): Pattern {
  const key = `${options}/${pattern}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const compiled = compile(pattern, options);
  if (cache.size >= CACHE_ENTRIES) cache.clear();
  cache.set(key, compiled);
  return compiled;
}

function compile(pattern: string, options: string): Pattern {
  for (const option of options) {
    if (!"imsxu".includes(option)) {
      throw new CommandError(51108, ` invalid flag in regex options: ${option}`);
    }
  }
  if (pattern.includes("\0")) {
    throw new CommandError("BadValue", "Regular expression cannot contain an embedded null byte");
  }
  const modes: Modes = {
    ignoreCase: options.includes("i"),
    multiline: options.includes("m"),
    dotAll: options.includes("s"),
    extended: options.includes("x"),
    ungreedy: false,
    duplicateNames: false,
  };
  try {
    return new Pattern(parsePattern(pattern, modes));
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new CommandError(51091, `Regular expression is invalid: ${error.message}`);
  }
}

/** Positions are those of UTF-16 units. */
export interface Match {
  readonly start: number;
  readonly end: number;
  /** What each group captured; undefined where it is not set. */
  readonly captures: readonly (string | undefined)[];
}

export class Pattern {
  private readonly program: Program;
  private readonly native: NativePattern;
  private readonly tester: RegExp;
  private finder: RegExp | undefined;
  private own: OwnSearch | undefined;

  /** @throws PatternError for what can be seen only when all is read */
  constructor(private readonly tree: PatternTree) {
    this.program = compileTree(tree);
    const small = this.program.code.length <= LARGEST_NATIVE_PROGRAM;
    this.native = (small ? nativeForm(tree) : undefined) ?? NO_NATIVE;
    this.tester = new RegExp(this.native.source, "u");
  }

  /** Whether the pattern is found in the text. @throws PatternLimitError */
  test(text: string): boolean {
    if (text.length <= this.native.longestText) {
      if (text.length > this.native.longestShortText) noteLongWork();
      return this.tester.test(text);
    }
    return this.ownSearch().test(text);
  }

  /** The first match that begins at `from` or behind it; undefined where there is none. @throws PatternLimitError */
  find(text: string, from: number): Match | undefined {
    if (this.native.captures && text.length <= this.native.longestText) return this.findNatively(text, from);
    const registers = this.ownSearch().find(text, from);
    if (registers === undefined) return undefined;
    const captures: (string | undefined)[] = [];
    for (let at = 2; at < registers.length; at += 2) {
      captures.push(registers[at]! < 0 ? undefined : text.slice(registers[at], registers[at + 1]));
    }
    return { start: registers[0]!, end: registers[1]!, captures };
  }

  private findNatively(text: string, from: number): Match | undefined {
    const finder = this.finder ??= new RegExp(this.native.source, "gu");
    if (text.length > this.native.longestShortText) noteLongWork();
    finder.lastIndex = from;
    const match = finder.exec(text);
    if (match === null) return undefined;
    return { start: match.index, end: match.index + match[0].length, captures: match.slice(1) };
  }

  private ownSearch(): OwnSearch {
    return this.own ??= new OwnSearch(this.tree, this.program, this.native);
  }
}
